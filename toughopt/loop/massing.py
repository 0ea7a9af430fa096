"""What the scale has taught about each printer: a pure fold over what it printed and what that weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.errors import ObservationError

if TYPE_CHECKING:
    from toughopt.gcode import MassControl
    from toughopt.journal import Experiment, State
    from toughopt.profiles import PrinterProfile


def mass_control(state: State, printer: str, profile: PrinterProfile) -> MassControl:
    """How much filament a gram takes on `printer`, after all of its parts that were weighed so far.

    Excluded experiments do not count, nor do readings that cannot be those of the part in question.
    """
    from toughopt.gcode import MassControl, MassReading

    control = MassControl.fresh(profile)
    for experiment in state.experiments.values():
        if experiment.printer != printer or experiment.excluded or experiment.mass_g is None:
            continue
        if experiment.mesh_mass_g is None or not experiment.part_filament_mm:
            continue
        reading = MassReading(experiment.mesh_mass_g, experiment.part_filament_mm, experiment.mass_g)
        try:
            control = control.corrected(reading)
        except ObservationError:
            continue  # mixed up, or not whole: nothing to learn from
    return control


def expected_g(experiment: Experiment) -> float | None:
    """What the part should weigh: what its program lays down; None where it is not known.

    Skirt and priming are left out, as far as they are known apart, and so is the flow by which mass control makes up
    for the printer.
    """
    if not experiment.filament_g or not experiment.filament_mm:
        return None
    share = experiment.part_filament_mm / experiment.filament_mm if experiment.part_filament_mm else 1.0
    return experiment.filament_g * share / experiment.flow


def doubt_of_mass(mass_g: float, should_g: float, tolerance: float) -> str | None:
    """Why a part of `mass_g` may be another one, or not whole; None where it is near enough to `should_g`."""
    if tolerance <= 0 or abs(mass_g - should_g) <= tolerance * should_g:
        return None
    return (
        f"it weighs {mass_g:.3g} g and should weigh {should_g:.3g} g, which differs by more than "
        f"{100 * tolerance:g} %: it may be another part, or not whole, or the scale was not at zero"
    )
