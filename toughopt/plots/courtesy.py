"""Who only watches steps back: the loop beside it gets the processor first."""

from __future__ import annotations

import os
import sys

_NICENESS = 10
_BELOW_NORMAL = 0x4000


def step_back() -> None:
    """Lower the priority of this process and of all that it starts."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)
