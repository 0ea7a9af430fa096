"""How a virtual firmware was built: what a maker chooses when compiling Marlin."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from toughopt.errors import InputError


@dataclass(frozen=True, slots=True)
class FirmwareOptions:
    """Compile-time choices; the defaults are those of a present-day board.

    `rx_buffer_bytes`, `queue_lines` and `reset_on_connect` come from the profile where they are None. `log_commands` is
    how many executed commands are kept for inspection: 0 none, None all.
    """

    emergency_parser: bool = True
    advanced_ok: bool = False
    host_prompts: bool = True
    number_with_checksum: bool = False  # Marlin 1.0: a checksum without a line number is an error without a Resend
    skip_repeated: bool = False  # Marlin 2.0.8 and later pass over the last two lines in silence when they come again
    say_unknown: bool = True
    locked: bool = False
    rx_buffer_bytes: int | None = None
    queue_lines: int | None = None
    planner_blocks: int = 16
    line_chars: int = 96
    keepalive_s: float = 2.0
    reset_on_connect: bool | None = None
    log_commands: int | None = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """How virtual time follows the caller's: `factor` times as fast; inf is as fast as it goes."""

    factor: float = inf

    @property
    def unbound(self) -> bool:
        """Whether moves and waits take no time at all on the caller's clock."""
        return self.factor == inf

    @classmethod
    def parse(cls, text: str | float) -> Clock:
        """`max`, `real` or a factor such as 10.

        Raises
        ------
        InputError
            If it is none of them.
        """
        named = {"max": inf, "real": 1.0}
        try:
            factor = named[text] if isinstance(text, str) and text in named else float(text)
        except ValueError:
            factor = -1.0
        if not factor > 0.0:
            raise InputError(f"clock {text!r} is not max, real or a factor above 0")
        return cls(factor)
