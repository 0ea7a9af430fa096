"""The virtual press: crushes what was laid down, the way that a real load frame would record it.

It sees a `Deposit` and nothing else. Noise, slack, compliance, sampling and limits are those of a screw-driven frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toughopt.compression.base import Curve
from toughopt.virtual.anatomy import Structure, structure
from toughopt.virtual.character import character
from toughopt.virtual.mechanics import PUBLISHED, Response, StrutConstants, force, scattered, strain_at_break
from toughopt.virtual.response import respond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.deposit import Deposit

    Floats = NDArray[np.float64]

FINE = 1500  # points at which the part's own curve is worked out before it is sampled
MOST_SAMPLES = 50_000
SHARED = 0.6  # standard deviation that a structure's replicates share, over that of a specimen
BREAK_MM = 0.05  # travel in which a part falls to pieces
AFTER_BREAK = 0.04  # share of the force that is left when a part has broken


@dataclass(frozen=True, slots=True)
class PressSettings:
    """How the frame is set up, and how exact it is. `scatter` 0 makes every specimen the nominal one."""

    force_limit_n: float = 5000.0
    travel_limit_mm: float = 18.0
    speed_mm_per_min: float = 2.0
    sample_hz: float = 10.0
    slack_mm: tuple[float, float] = (0.1, 0.9)  # free travel before contact, least and most
    toe_mm: float = 0.02  # travel in which the plates bed in
    toe_n: float = 60.0
    tare_n: tuple[float, float] = (-0.5, 1.5)  # what the cell shows without load
    noise_n: float = 0.4  # standard deviation of one reading
    noise_share: float = 0.0004  # and, of the force itself
    resolution_n: float = 0.001
    resolution_mm: float = 0.0001
    break_drop: float = 0.6  # the frame ends the test when the force has fallen by this share of its peak
    break_from_n: float = 50.0  # and the peak was above this
    reference_speed_mm_per_min: float = 2.0  # at which the constants hold
    rate_exponent: float = 0.03  # yield force against speed: PLA gains some 7 % a decade
    scatter: float = 1.0
    constants: StrutConstants = PUBLISHED


def crush(deposit: Deposit, seed: int, settings: PressSettings | None = None) -> Curve:
    """The curve that the frame records for what was laid down; the same for the same deposit, seed and settings."""
    settings = settings or PressSettings()
    displacement, load, time = simulate(deposit, np.random.default_rng(seed), settings)
    return Curve(displacement, load, time)


def simulate(
    deposit: Deposit, rng: np.random.Generator, settings: PressSettings | None = None
) -> tuple[Floats, Floats, Floats]:
    """Crush one specimen.

    Parameters
    ----------
    deposit : what was laid down
    rng : source of the specimen's own scatter and of the frame's noise
    settings : the frame's set-up

    Returns
    -------
    displacement_mm, force_n, time_s : (n,) float
        As the frame records them: crosshead travel with slack, toe and compliance in it, compression positive.
    """
    return simulate_structure(structure(deposit), rng, settings or PressSettings())


def simulate_structure(
    found: Structure, rng: np.random.Generator, settings: PressSettings
) -> tuple[Floats, Floats, Floats]:
    """What `simulate` gives, for a part whose structure was found before: for many replicates of one part."""
    specimen, gap = specimen_response(found, rng, settings)
    travel, load = _travel(specimen, gap, settings)
    return _record(travel, load, rng, settings)


def specimen_response(
    found: Structure, rng: np.random.Generator, settings: PressSettings
) -> tuple[Response | None, float]:
    """Response of this one specimen, scatter included, and the gap in mm that must close first; None without material.

    About a quarter of the variance of yield and break belongs to the structure, so is the same for all its replicates.
    """
    own = rng.standard_normal(3)
    if found.sections.volume_mm3 <= 0.0:
        return None, 0.0
    nominal, gap = respond(found, settings.constants)
    shared = SHARED * np.append(character(found), 0.0)
    rate = (settings.speed_mm_per_min / settings.reference_speed_mm_per_min) ** settings.rate_exponent
    specimen = scattered(nominal, settings.scatter * (own + shared), settings.constants)
    return replace(specimen, yield_force_n=specimen.yield_force_n * rate), gap


def _travel(specimen: Response | None, gap: float, settings: PressSettings) -> tuple[Floats, Floats]:
    """Crosshead travel from contact on, not decreasing, and force, up to a break or well past every limit."""
    if specimen is None:
        return np.array([0.0, settings.travel_limit_mm]), np.zeros(2)
    length = float(specimen.length_mm)
    end = float(strain_at_break(specimen, settings.force_limit_n)) * length
    own = np.linspace(0.0, 1.0, FINE) ** 2 * end
    load = force(specimen, own)
    fall = np.linspace(0.0, 1.0, 12)[1:]
    own = np.concatenate([own, end + BREAK_MM * fall, [max(length, end + 1.0)]])
    load = np.concatenate([load, load[-1] * (1.0 - (1.0 - AFTER_BREAK) * fall), [AFTER_BREAK * load[-1]]])
    closing = gap * (1.0 - np.exp(-load / (0.02 * float(specimen.yield_force_n))))
    bedding = settings.toe_mm * (1.0 - np.exp(-load / settings.toe_n))
    spring = settings.constants.seat_compliance_mm_per_n * load
    return np.maximum.accumulate(own + closing + bedding + spring), load


def _record(
    travel: Floats, load: Floats, rng: np.random.Generator, settings: PressSettings
) -> tuple[Floats, Floats, Floats]:
    slack, tare = rng.uniform(*settings.slack_mm), rng.uniform(*settings.tare_n)
    speed = settings.speed_mm_per_min / 60.0
    last = min(settings.travel_limit_mm, slack + float(travel[-1]))
    step = max(speed / settings.sample_hz, last / MOST_SAMPLES)
    position = np.arange(0.0, last + step, step)
    measured = np.interp(position - slack, travel, load)
    deviation = settings.noise_n + settings.noise_share * measured
    measured = measured + tare + deviation * rng.standard_normal(len(position))
    stop = _end_of_test(measured, settings)
    position, measured = position[:stop], measured[:stop]
    return (
        np.round(position / settings.resolution_mm) * settings.resolution_mm,
        np.round(measured / settings.resolution_n) * settings.resolution_n,
        position / speed,
    )


def _end_of_test(measured: Floats, settings: PressSettings) -> int:
    """How many samples are recorded: up to the first one at the force limit, or the first after a break."""
    peak = np.maximum.accumulate(measured)
    over = measured >= settings.force_limit_n
    broken = (peak > settings.break_from_n) & (measured < (1.0 - settings.break_drop) * peak)
    ends = np.flatnonzero(over | broken)
    return int(ends[0]) + 1 if len(ends) else len(measured)
