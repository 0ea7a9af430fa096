"""A logged campaign derived again, and other policies tried on it."""
