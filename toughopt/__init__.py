"""toughopt finds the toughest structure that a printer can make: design, print, crush, learn, repeat."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from toughopt._version import __version__

if TYPE_CHECKING:
    from toughopt.compression import Curve, analyze
    from toughopt.families import family
    from toughopt.loop import Campaign
    from toughopt.optimizer import Optimizer, Space

__all__ = ["Campaign", "Curve", "Optimizer", "Space", "__version__", "analyze", "family"]

_HOME = {  # imported when first used, so that `import toughopt` is instant
    "Campaign": "toughopt.loop",
    "Curve": "toughopt.compression",
    "Optimizer": "toughopt.optimizer",
    "Space": "toughopt.optimizer",
    "analyze": "toughopt.compression",
    "family": "toughopt.families",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"toughopt has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
