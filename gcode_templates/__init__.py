"""Jinja2 G-code templates, one folder a firmware; installed as package data."""
