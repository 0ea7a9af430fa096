"""Mass control: parts that weigh what they should, corrected by the scale from part to part.

As the group behind the MAMA BEAR laboratory does it (Snapp et al., Nature Communications 2024,
doi 10.1038/s41467-024-48534-4, and their published control code): a calibration part first; then the filament that a
part gets is its target mass times the last part's ratio of filament to mass, times 1 + 0.1 times the sum of the
relative errors so far; and the flow is adjusted, and the part sliced again, until the program holds that much filament.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from toughopt.errors import ObservationError, ProgramError

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.base import Toolpaths

CALIBRATION_TOLERANCE = 0.05
LENGTH_TOLERANCE = 0.01
FLOW_LIMITS = (0.1, 2.0)
FLOW_USUAL = (0.5, 1.5)
GAIN = 0.1
_MOST_SLICES = 12
_BELIEVABLE = 3.0  # a mass this many times off its target is a mix-up, not a reading


@dataclass(frozen=True, slots=True)
class MassReading:
    """What a part should have weighed, the filament that it got, and what it weighed."""

    target_g: float
    filament_mm: float
    mass_g: float

    @property
    def relative_error(self) -> float:
        """(target - mass) / target: positive where the part is too light."""
        return (self.target_g - self.mass_g) / self.target_g


@dataclass(frozen=True, slots=True)
class MassControl:
    """How much filament a gram takes on one nozzle of one printer; a value: each reading gives a new one.

    mm_per_g : filament over mass of the last part, or what diameter and density say before there is one
    summed_error : sum of the relative errors since calibration
    readings : how many parts it has seen since calibration
    calibrated : whether a calibration part came out within 5 %
    """

    printer: str
    tool: int
    mm_per_g: float
    summed_error: float = 0.0
    readings: int = 0
    calibrated: bool = False

    @classmethod
    def fresh(cls, profile: PrinterProfile) -> Self:
        """Before anything was weighed: the ratio that the filament's diameter and density give."""
        filament = profile.filament
        area_mm2 = np.pi * filament.diameter_mm**2 / 4
        return cls(profile.name, profile.tool, float(1000.0 / (area_mm2 * filament.density_g_per_cm3)))

    def filament_mm(self, target_g: float) -> float:
        """Filament that a part of `target_g` shall get, mm. Raises ObservationError if the target is no mass."""
        if not (np.isfinite(target_g) and target_g > 0):
            raise ObservationError(f"a target mass of {target_g} g cannot be printed; give a positive one")
        return target_g * self.mm_per_g * (1.0 + GAIN * self.summed_error)

    def corrected(self, reading: MassReading) -> Self:
        """The control after a part was weighed.

        Until a calibration part has come out within 5 % of its target, only the ratio is learned and the sum of
        errors stays 0.

        Raises
        ------
        ObservationError
            If the reading is no mass, or is so far off that parts must have been mixed up.
        """
        for name in ("target_g", "filament_mm", "mass_g"):
            value = getattr(reading, name)
            if not (np.isfinite(value) and value > 0):
                raise ObservationError(f"{name} = {value} of a weighed part is not positive; weigh it again")
        if not 1 / _BELIEVABLE < reading.mass_g / reading.target_g < _BELIEVABLE:
            raise ObservationError(
                f"a part of {reading.target_g:g} g cannot weigh {reading.mass_g:g} g; it is another one, or not whole: "
                "weigh it again, or leave the reading out"
            )
        ratio = reading.filament_mm / reading.mass_g
        if not self.calibrated:
            good = abs(reading.relative_error) <= CALIBRATION_TOLERANCE
            return replace(self, mm_per_g=ratio, calibrated=good)
        return replace(
            self,
            mm_per_g=ratio,
            summed_error=self.summed_error + reading.relative_error,
            readings=self.readings + 1,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a journal."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The control that `as_dict` wrote."""
        return cls(**{name: values[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class FlowFit:
    """The extrusion multiplier that gives a program its filament.

    reached : whether the program's filament is within 1 % of what it should be
    slices : how often the part was sliced
    """

    multiplier: float
    filament_mm: float
    target_mm: float
    slices: int
    reached: bool
    warnings: tuple[str, ...] = ()


def fit_flow(length_at: Callable[[float], float], target_mm: float, start: float = 1.0) -> FlowFit:
    """Adjust the extrusion multiplier until a program holds `target_mm` of filament, to 1 %.

    Parameters
    ----------
    length_at : slices the part at a multiplier and says how much filament its program holds, mm
    target_mm : filament that it should hold, mm
    start : multiplier to begin with

    Returns
    -------
    FlowFit
        Its multiplier is kept between 0.1 and 2; a warning is added outside 0.5 to 1.5, and where the target was not
        reached.

    Raises
    ------
    ProgramError
        If a program holds no filament at all.
    """
    low, high = FLOW_LIMITS
    multiplier = float(np.clip(start, low, high))
    best = (np.inf, multiplier, 0.0)
    seen: list[tuple[float, float]] = []
    for _ in range(_MOST_SLICES):
        length = length_at(multiplier)
        if not (np.isfinite(length) and length > 0):
            raise ProgramError(f"at an extrusion multiplier of {multiplier:g} the program holds no filament")
        error = abs(length / target_mm - 1.0)
        if error < best[0]:
            best = error, multiplier, length
        seen.append((multiplier, length))
        if error <= LENGTH_TOLERANCE:
            break
        following = float(np.clip(_next_multiplier(seen, target_mm), low, high))
        if any(abs(following - tried) < 1e-9 for tried, _ in seen):
            break
        multiplier = following
    error, multiplier, length = best
    warnings = []
    if error > LENGTH_TOLERANCE:
        warnings.append(
            f"{target_mm:.0f} mm of filament were not reached: the multiplier {multiplier:.3f} gives {length:.0f} mm"
        )
    if not FLOW_USUAL[0] <= multiplier <= FLOW_USUAL[1]:
        warnings.append(
            f"an extrusion multiplier of {multiplier:.3f} is outside {FLOW_USUAL[0]:g} to {FLOW_USUAL[1]:g}: "
            "look at the nozzle, the filament and the part's wall"
        )
    return FlowFit(multiplier, length, target_mm, len(seen), error <= LENGTH_TOLERANCE, tuple(warnings))


def _next_multiplier(seen: list[tuple[float, float]], target_mm: float) -> float:
    """By the secant through the last two programs (some filament does not scale), by proportion after the first."""
    multiplier, length = seen[-1]
    if len(seen) > 1:
        before, length_before = seen[-2]
        slope = (length - length_before) / (multiplier - before)
        if slope > 0:
            return multiplier + (target_mm - length) / slope
    return multiplier * target_mm / length


def with_flow(profile: PrinterProfile, multiplier: float) -> PrinterProfile:
    """`profile` with its filament's flow multiplied."""
    filament = profile.filament.model_copy(update={"flow": profile.filament.flow * multiplier})
    return profile.model_copy(update={"filament": filament})


def part_filament_mm(toolpaths: Toolpaths, profile: PrinterProfile) -> float:
    """Filament that the part itself takes, without skirt and priming line, mm of feedstock."""
    area_mm2 = np.pi * profile.filament.diameter_mm**2 / 4
    return float(toolpaths.volume_mm3 * profile.filament.flow / area_mm2)
