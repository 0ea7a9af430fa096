"""Solids: sweep, union, checks, export."""
