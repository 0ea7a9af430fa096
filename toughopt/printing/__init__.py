"""A program becomes a specimen."""
