"""A test-machine file becomes a curve, a curve becomes a toughness."""
