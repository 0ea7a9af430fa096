"""A solid becomes toolpaths."""
