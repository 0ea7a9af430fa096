"""The web page over the same figures, and the operator's controls."""
