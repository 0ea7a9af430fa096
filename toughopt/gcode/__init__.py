"""Toolpaths become a program; programs are parsed, checked, timed and turned into what they lay down."""
