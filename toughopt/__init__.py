"""toughopt finds the toughest structure that a printer can make."""

from toughopt._version import __version__

__all__ = ["__version__"]
