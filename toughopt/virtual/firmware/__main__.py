"""`python -m toughopt.virtual.firmware`: a virtual printer in a process of its own."""

from __future__ import annotations

import sys

from toughopt.virtual.firmware.launch import main

if __name__ == "__main__":
    sys.exit(main())
