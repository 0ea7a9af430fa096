"""Observations become designs."""
