"""What is raised when a serial port fails."""

from __future__ import annotations


def _errors() -> tuple[type[Exception], ...]:
    usual = (OSError, ValueError, TypeError)  # pyserial: TypeError where the port was closed under its feet
    try:
        import termios
    except ModuleNotFoundError:  # Windows
        return usual
    return (*usual, termios.error)  # no OSError: of an adapter that was pulled out


PORT_ERRORS = _errors()
