"""What a machine said since something went wrong on the line, and what it proves."""

from __future__ import annotations

from dataclasses import dataclass

from toughopt.printing.ledger import Sent
from toughopt.printing.replies import Reply, position

_POSITION_TOLERANCE_MM = 0.02  # M114 gives two decimals
_PLAUSIBLE_BACK = 3  # lines that a spurious ok or two may have made us believe in


@dataclass(slots=True)
class Evidence:
    """Collected from the first sign of trouble until the line is quiet."""

    since: float
    exposed: bool = False  # more than one line was under way: the firmware may have run the tail of one
    asked: int | None = None  # the last line number that the machine asked for
    oks: int = 0
    discounted: int = 0  # oks that acknowledge nothing: after a resend or an unknown command
    owed: int = 0  # of those, still to come
    unknowns: int = 0
    strays: int = 0  # oks that, by their form, belong to no numbered line
    doubt: str | None = None  # an unknown command that may have been one of ours
    asks: int = 0  # probes sent
    last_line: int | None = None  # the last line that the firmware says it has
    doubted: int | None = None  # a number asked for that made no sense

    def hear_ok(self, reply: Reply, advanced: bool) -> None:
        """Count an ok; where oks carry buffer counts, one without a line number is of no line that was sent."""
        if advanced and reply.number is None and reply.buffers is not None:
            if self.unknowns == 0:
                self.strays += 1
                return
            self.unknowns -= 1
        self.oks += 1
        self.owed = max(0, self.owed - 1)

    def hear_resend(self, number: int, landed: int, last: int) -> bool:
        """Take note of a request; False where the number makes no sense and has to be heard again to be believed."""
        self.discounted += 1
        self.owed += 1
        sensible = landed - _PLAUSIBLE_BACK <= number <= last + 1 and (number > 1 or landed <= 1)
        confirmed = number == self.doubted or (self.last_line is not None and number == self.last_line + 1)
        if not sensible and not confirmed:
            self.doubted = number
            return False
        self.asked = number
        return True

    def hear_unknown(self, text: str, never_numbered: bool) -> None:
        """Take note of a command that the machine did not know; its ok acknowledges nothing.

        A tail was left over when the firmware emptied its buffer, and has no number. Anything else may have come with a
        valid checksum by chance, and then that line will not be asked for again.
        """
        self.discounted += 1
        self.owed += 1
        self.unknowns += 1
        if self.doubt is None and not never_numbered:
            self.doubt = text

    @property
    def arrivals(self) -> int:
        """Oks that acknowledge a line."""
        return max(0, self.oks - self.discounted)

    def after_asking(self, now: float) -> Evidence:
        """A fresh start for the answer to a probe; what is still in doubt stays so."""
        return Evidence(now, self.exposed, doubt=self.doubt, asks=self.asks + 1, doubted=self.doubted)


def left_over(text: str, sent: Sent) -> bool:
    """Whether an unknown command is what remained of a line, or one whose number was not read as such."""
    line = sent.data.decode("ascii").rstrip()
    bare = text.partition("*")[0].strip()
    return line.endswith(bare) or line.rpartition("*")[0].endswith(bare) or f"{sent.number} " in text


def astray(text: str, expected: tuple[float | None, ...]) -> str:
    """The axes that an M114 report puts elsewhere than where the machine was sent."""
    at = position(text)
    if at is None:
        return ""
    pairs = zip("XYZE", at, expected, strict=True)
    return "".join(axis for axis, is_at, to in pairs if to is not None and abs(is_at - to) > _POSITION_TOLERANCE_MM)
