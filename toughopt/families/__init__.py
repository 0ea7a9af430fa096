"""Parametric structures: a design becomes a solid."""
