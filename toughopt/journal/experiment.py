"""One specimen of one design, and the stages that it passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Any


class Stage(StrEnum):
    """Where an experiment is."""

    PROPOSED = auto()
    BUILT = auto()
    SLICED = auto()
    QUEUED = auto()
    PRINTING = auto()
    PRINTED = auto()
    CLEARED = auto()
    WEIGHED = auto()
    TESTED = auto()
    COMPLETE = auto()
    FAILED = auto()
    UNCERTAIN = auto()


_ENDS = frozenset({Stage.FAILED, Stage.UNCERTAIN})
NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.PROPOSED: frozenset({Stage.BUILT, Stage.COMPLETE}) | _ENDS,
    Stage.BUILT: frozenset({Stage.SLICED, Stage.COMPLETE}) | _ENDS,
    Stage.SLICED: frozenset({Stage.QUEUED, Stage.COMPLETE}) | _ENDS,
    Stage.QUEUED: frozenset({Stage.PRINTING, Stage.SLICED}) | _ENDS,
    Stage.PRINTING: frozenset({Stage.PRINTED}) | _ENDS,
    Stage.PRINTED: frozenset({Stage.CLEARED}) | _ENDS,
    Stage.CLEARED: frozenset({Stage.WEIGHED, Stage.COMPLETE}) | _ENDS,
    Stage.WEIGHED: frozenset({Stage.TESTED, Stage.COMPLETE}) | _ENDS,
    Stage.TESTED: frozenset({Stage.COMPLETE}) | _ENDS,
    Stage.COMPLETE: frozenset(),
    Stage.FAILED: frozenset(),
    Stage.UNCERTAIN: frozenset({Stage.PRINTED, Stage.FAILED, Stage.COMPLETE}),
}


@dataclass(slots=True)
class Experiment:
    """One specimen of one design on its way through the lab, as the journal tells it."""

    id: int
    design: dict[str, float | int | str]
    source: str
    manual: bool = False
    retry_of: int | None = None
    decision: Mapping[str, Any] | None = None
    stage: Stage = Stage.PROPOSED
    times: dict[str, str] = field(default_factory=dict)  # stage -> ISO time
    mesh: str | None = None
    program: str | None = None
    curve: str | None = None
    path: str | None = None
    mesh_mass_g: float | None = None
    size_mm: list[float] | None = None  # of the box around the designed part
    wanted: str = ""  # the printer that it was chosen for, where that made a difference
    sliced_for: str = ""
    flow: float = 1.0  # extrusion multiplier of its program
    part_filament_mm: float = 0.0  # without skirt and priming; 0: not known
    program_time_s: float | None = None
    crushing: bool = False  # the frame was set in motion
    filament_mm: float | None = None
    filament_g: float | None = None
    printer: str | None = None
    print_s: float | None = None
    resends: int = 0
    strays: int = 0
    mass_g: float | None = None
    value: float | None = None
    noise_std: float | None = None
    censored: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)
    failed_stage: str = ""
    reason: str = ""
    blame: str = ""
    failed_by: str = ""
    excluded: bool = False
    notes: list[str] = field(default_factory=list)
    proposed_seq: int = 0
    complete_seq: int = 0
    failed_seq: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.stage in (Stage.COMPLETE, Stage.FAILED)

    @property
    def root(self) -> int:
        """The experiment that this one stands in for: itself, unless the lab failed that one."""
        return self.id if self.retry_of is None else self.retry_of

    @property
    def learned(self) -> bool:
        """Whether the model learns from it: a value, or a failure that the design is to blame for."""
        if self.excluded:
            return False
        return self.stage is Stage.COMPLETE or (self.stage is Stage.FAILED and self.blame == "design")
