"""State becomes figures."""
