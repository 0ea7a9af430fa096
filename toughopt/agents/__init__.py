"""Machines on several PCs: an agent serves those of its PC, and the conductor prints on them as if they were here.

Nothing of it is imported where all machines are on one PC.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from toughopt.errors import ConfigError

if TYPE_CHECKING:
    from toughopt.agents.agent import Agent
    from toughopt.agents.exchange import Exchange, open_exchange
    from toughopt.agents.remote import RemotePrinter

_HOMES = {"Agent": "agent", "Exchange": "exchange", "RemotePrinter": "remote", "open_exchange": "exchange"}

__all__ = ["Agent", "Exchange", "RemotePrinter", "open_exchange"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("procrastinate") is None:
        raise ConfigError("machines on several PCs need procrastinate: pip install 'toughopt[postgres]'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
