"""Load frames, scales and handlers."""
