"""Printer profiles, one TOML file a machine; installed as package data."""
