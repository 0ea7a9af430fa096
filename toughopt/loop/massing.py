"""What the scale has taught about each printer: a pure fold over what it printed and what that weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.errors import ObservationError

if TYPE_CHECKING:
    from toughopt.gcode import MassControl
    from toughopt.journal import State
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
