"""How a stream of lines paces itself, what it can be at, and how it can end badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from math import inf

from toughopt.printing.ledger import Sent


class Phase(StrEnum):
    """What the stream is at."""

    FLOWING = auto()
    SETTLING = auto()  # something went wrong: listening until the line is quiet
    ASKING = auto()  # a probe is on its way
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stream ended: `kind` is reset, silent, resend or lost_line."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream paces itself; times in s."""

    window: str = "auto"  # "off": one line in flight; "auto": more where the program needs it; "on": always
    window_bytes: int = 120  # of the firmware's receive buffer
    window_lines: int = 4
    quiet_s: float = 0.1  # without a reply, after a resend
    no_ok_s: float = 0.5  # a resend that its ok does not follow
    late_ok_s: float = 1.0  # for oks that are due after a resend
    garbled_s: float = 0.3  # after a reply that was not understood, perhaps an ok
    sign_s: float = 10.0  # without a further sign of life from a machine that gives some while busy
    ask_s: float = 3.0  # for the answer to a probe
    asks: int = 4  # unanswered probes, all but the first short; more would overflow a receive buffer
    same_resend: int = 10
    same_silence: int = 20  # lines in a row that arrived without an ok
    storm_s: float = 30.0  # without a quiet moment
    calm_lines: int = 500  # with one in flight, after a resend

    def may_join(self, upcoming: Sent, flying: Sequence[Sent], bytes_flying: int, latency_s: float) -> bool:
        """Whether a line may be sent while others are unacknowledged; `latency_s` is what one line in flight takes."""
        if bytes_flying + len(upcoming.data) > self.window_bytes or len(flying) >= self.window_lines:
            return False
        command = upcoming.command
        if command.solo or flying[0].command.solo or self.window == "off":
            return False
        # else one in flight is fast enough, or nobody knows yet
        return self.window == "on" or command.pace_s <= 1.5 * latency_s < inf
