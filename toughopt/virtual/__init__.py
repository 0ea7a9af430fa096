"""The virtual lab: firmware, press, scale, handler."""
