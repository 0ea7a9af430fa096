"""Faults on request: what, and when: at a rate per line, at a line, at a time, at a height, or at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from math import ceil, inf, log
from random import Random

from toughopt.errors import InputError, UnknownName


class FaultKind(StrEnum):
    """Everything that can be made to go wrong."""

    # bytes from the host to the machine
    GARBLE_IN = auto()  # `amount` bits of a line change
    DROP_IN = auto()
    DOUBLE_IN = auto()
    SWAP_IN = auto()  # two neighbouring bytes change places: the checksum cannot see it
    DELAY_IN = auto()  # by `amount` seconds
    LOST_LINE = auto()
    LOST_NEWLINE = auto()
    # bytes from the machine to the host
    GARBLE_OUT = auto()
    DROP_OUT = auto()
    DOUBLE_OUT = auto()
    DELAY_OUT = auto()
    SILENCE = auto()  # nothing is said for `amount` seconds, then all of it
    # replies
    LOST_OK = auto()
    SPURIOUS_OK = auto()
    WRONG_NUMBER = auto()  # asks for a line that is `amount` off
    RESEND_WITHOUT_OK = auto()
    RESEND_STORM = auto()  # asks `amount` times
    # the machine
    RESET = auto()
    DISCONNECT = auto()
    HALT = auto()
    STOP = auto()  # "Printer stopped due to errors"
    LOCK = auto()
    HOMING_FAILED = auto()
    HEATING_FAILED = auto()  # the nozzle's heater gets no power any more
    THERMAL_RUNAWAY = auto()  # the same, noticed once the nozzle was hot
    MAXTEMP = auto()  # the nozzle's heater no longer switches off
    BED_HEATING_FAILED = auto()
    JAM = auto()
    UNJAM = auto()
    LAYER_SHIFT = auto()  # by `amount` mm along `axis`
    RUNOUT = auto()  # `amount` mm are left when the sensor notices
    RUNOUT_UNSEEN = auto()  # the same without a sensor
    COLD_NOZZLE = auto()  # `amount` deg C colder than the sensor says


INBOUND = frozenset(list(FaultKind)[:7])
OUTBOUND = frozenset(list(FaultKind)[7:12])
AMOUNTS: Mapping[FaultKind, float] = {
    FaultKind.GARBLE_IN: 1.0,
    FaultKind.GARBLE_OUT: 1.0,
    FaultKind.DELAY_IN: 0.2,
    FaultKind.DELAY_OUT: 0.2,
    FaultKind.SILENCE: 30.0,
    FaultKind.WRONG_NUMBER: -3.0,
    FaultKind.RESEND_STORM: 5.0,
    FaultKind.LAYER_SHIFT: 2.0,
    FaultKind.RUNOUT: 100.0,
    FaultKind.COLD_NOZZLE: 40.0,
}
_KEYS = ("rate", "line", "time", "z", "amount", "tool", "axis", "count")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and when: `rate` per line, or once at the `line`-th line, at `time_s`, above `z_mm`, or at once."""

    kind: FaultKind
    rate: float = 0.0
    line: int | None = None
    time_s: float | None = None
    z_mm: float | None = None
    amount: float | None = None
    tool: int = 0
    axis: int = 0
    count: int | None = None  # how often at most; None is no limit at a rate, and once otherwise

    @property
    def size(self) -> float:
        """`amount`, or what is usual for the kind."""
        return AMOUNTS.get(self.kind, 0.0) if self.amount is None else self.amount

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`NAME`, `NAME=RATE` or `NAME=key:value,...` with the keys rate, line, time, z, amount, tool, axis, count.

        Raises
        ------
        InputError
            If the name, a key or a value is not one.
        """
        name, _, rest = text.partition("=")
        parts = [part for part in rest.split(",") if part]
        pairs = [part.partition(":") if ":" in part else ("rate", ":", part) for part in parts]
        return cls.from_mapping(name.strip(), {key.strip(): value.strip() for key, _, value in pairs})

    @classmethod
    def from_mapping(cls, name: str, values: Mapping[str, str | float]) -> Fault:
        """The same from a name and its keys."""
        try:
            kind = FaultKind(name)
        except ValueError:
            raise UnknownName("fault", name, list(FaultKind)) from None
        unknown = sorted(set(values) - set(_KEYS))
        if unknown:
            raise InputError(f"fault {name}: there is no key {unknown[0]!r}; known: {', '.join(_KEYS)}")
        try:
            number = {key: "xyz".index(str(value)) if key == "axis" else float(value) for key, value in values.items()}
        except ValueError as error:
            raise InputError(
                f"fault {name}: {dict(values)}: {error}; a number was expected (axis: x, y or z)"
            ) from None
        if not 0.0 <= number.get("rate", 0.0) <= 1.0:
            raise InputError(f"fault {name}: rate = {number['rate']:g} is not a probability per line, 0 to 1")
        return cls(
            kind,
            rate=number.get("rate", 0.0),
            line=int(number["line"]) if "line" in number else None,
            time_s=number.get("time"),
            z_mm=number.get("z"),
            amount=number.get("amount"),
            tool=int(number.get("tool", 0)),
            axis=int(number.get("axis", 0)),
            count=int(number["count"]) if "count" in number else None,
        )


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults of a run."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> FaultPlan:
        """One fault a text, see `Fault.parse`."""
        return cls(tuple(Fault.parse(text) for text in texts))

    def only(self, kinds: frozenset[FaultKind]) -> FaultPlan:
        """Those of some kinds."""
        return FaultPlan(tuple(fault for fault in self.faults if fault.kind in kinds))


@dataclass(slots=True)
class _Pending:
    fault: Fault
    rng: Random
    next_line: float
    left: float

    def draw(self, after_line: int) -> None:
        rate = self.fault.rate
        gap = 1.0 if rate >= 1.0 else ceil(log(1.0 - self.rng.random()) / log(1.0 - rate)) or 1.0
        self.next_line = after_line + gap


@dataclass(slots=True)
class FaultSchedule:
    """When the faults of a plan are due; `counts` says how often each kind happened."""

    plan: FaultPlan
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    next_line: float = inf  # nothing is due before this line
    next_time_s: float = inf
    _pending: list[_Pending] = field(default_factory=list)
    _born: int = 0

    def __post_init__(self) -> None:
        for fault in self.plan.faults:
            self.add(fault, 0)

    def add(self, fault: Fault, line: int) -> None:
        """One more, from `line` on."""
        self._born += 1
        rng = Random(f"{self.seed}/{self._born}/{fault.kind}")
        once = 1.0 if not fault.rate else inf
        pending = _Pending(fault, rng, inf, once if fault.count is None else fault.count)
        if fault.rate:
            pending.draw(line)
        elif fault.line is not None:
            pending.next_line = fault.line
        elif fault.time_s is None:
            pending.next_line = 0.0  # at once, or as soon as the head is high enough
        self._pending.append(pending)
        self._refresh()

    def due(self, line: int, time_s: float = 0.0, z_mm: float = 0.0) -> list[tuple[Fault, Random]]:
        """The faults that happen now, each with its source of chance."""
        found = []
        for pending in self._pending:
            fault = pending.fault
            by_time = fault.time_s is not None and time_s >= fault.time_s
            by_line = line >= pending.next_line and (fault.z_mm is None or z_mm >= fault.z_mm)
            if pending.left > 0 and (by_time or by_line):
                pending.left -= 1
                found.append((fault, pending.rng))
                self.counts[fault.kind] += 1
                if fault.rate:
                    pending.draw(line)
        self._pending = [pending for pending in self._pending if pending.left > 0]
        self._refresh()
        return found

    def _refresh(self) -> None:
        self.next_line = min((pending.next_line for pending in self._pending), default=inf)
        self.next_time_s = min(
            (pending.fault.time_s for pending in self._pending if pending.fault.time_s is not None), default=inf
        )
