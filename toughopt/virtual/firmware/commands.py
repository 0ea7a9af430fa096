"""Every command that the firmware knows, by its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.virtual.firmware import cmd_heat, cmd_host, cmd_motion, cmd_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from toughopt.virtual.firmware.machine import Machine
    from toughopt.virtual.firmware.words import Words

    Handler = Callable[[Machine, Words], Iterator[float] | None]

COMMANDS: Mapping[str, Handler] = {**cmd_motion.TABLE, **cmd_heat.TABLE, **cmd_host.TABLE, **cmd_setup.TABLE}

HARMLESS = frozenset({"M105", "M114", "M115", "M119", "M154", "M155", "M27", "M31", "M503"})
"""Questions: a host that asks them leaves the machine alone otherwise."""
