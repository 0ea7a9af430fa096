"""Everything that figures are drawn from, read from the campaign's folder when it is first needed."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import ToughoptError
from toughopt.plots.learned import Learned, choice_of
from toughopt.plots.style import unit_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toughopt.compression import Curve
    from toughopt.families import Family, Parameter
    from toughopt.gcode import Program
    from toughopt.geometry import Solid
    from toughopt.journal import Experiment, State
    from toughopt.loop import Workspace
    from toughopt.optimizer import Front
    from toughopt.plots.landscape import Choice
    from toughopt.plots.specimen import Test

_COARSE_MM = 0.05  # chord error that a picture needs
_MOST_REPLICATES = 12


def units_of(family: Family) -> dict[str, str]:
    """The unit of each parameter of a family, fixed ones too; "" where it has none."""
    documented: Iterable[Parameter] = getattr(family, "documented", family.parameters)
    return {parameter.name: parameter.unit for parameter in documented}


class Scene:
    """A campaign at one moment: its state, and what its artifacts and its model say.

    Parameters
    ----------
    workspace : for its configuration, recipe and artifacts; its own state is not looked at
    state : what is drawn; it must not change any more
    """

    def __init__(self, workspace: Workspace, state: State) -> None:
        self.workspace = workspace
        self.state = state

    @property
    def objective(self) -> str:
        """Name of the objective."""
        return str(self.workspace.config.objective.name)

    @property
    def several(self) -> bool:
        """Whether there are several objectives."""
        return bool(self.workspace.config.objective.against)

    @cached_property
    def front(self) -> Front | None:
        """Of the tested designs, where there are several objectives."""
        return self.workspace.chooser.front(self.state)

    def tested(self) -> np.ndarray:
        """(n, 2) float: the first and the second objective of each test that told both."""
        from toughopt.loop.objectives import figures_of

        both = self.workspace.chooser.objectives[:2]
        told = [figures_of(e, both) for e in self.state.complete if not e.excluded]
        rows = [row for row in told if None not in row]
        return np.array(rows, dtype=float).reshape(-1, 2)

    @property
    def target(self) -> float | None:
        """The value at which the campaign stops, as steered, else as configured."""
        steered = self.state.steering.get("target")
        return float(steered) if steered is not None else self.workspace.config.stopping.target

    @cached_property
    def learned(self) -> Learned:
        """The model."""
        return Learned(self.workspace.chooser, self.state)

    @cached_property
    def last(self) -> Experiment | None:
        """The newest experiment with a value."""
        done = [e for e in self.state.complete if not e.excluded]
        return done[-1] if done else None

    @cached_property
    def best(self) -> Experiment | None:
        """The one with the best value."""
        return self.state.best

    @cached_property
    def in_hand(self) -> Experiment | None:
        """The one that the lab works on, else the last, else the first that waits."""
        under_way = self.state.under_way
        busy = [e for e in under_way if e.stage in ("printing", "printed", "cleared", "weighed", "tested")]
        return busy[0] if busy else self.last or next(iter(under_way), None)

    @property
    def filament_g_per_mm(self) -> float:
        """Mass of a millimetre of the filament that the printer's profile names."""
        filament = self.workspace.recipe.profile.filament
        return math.pi / 4.0 * filament.diameter_mm**2 * filament.density_g_per_cm3 / 1000.0

    @cached_property
    def units(self) -> dict[str, str]:
        """The unit of each parameter, "" where it has none."""
        return units_of(self.workspace.recipe.family)

    @cached_property
    def wall_g(self) -> dict[int, float] | None:
        """What the wall of each weighed specimen should weigh; None where parts are printed as solids."""
        from toughopt.families import spiral_walls

        recipe = self.workspace.recipe
        made, density = recipe.family, recipe.profile.filament.density_g_per_cm3
        if made.print_mode != "vase":
            return None
        weighed = [e for e in self.state.experiments.values() if e.mass_g is not None]
        walls = spiral_walls(made, (e.design for e in weighed))
        return {e.id: wall.mass_in(made, density) for e, wall in zip(weighed, walls, strict=True) if wall is not None}

    def curve(self, experiment: Experiment | None) -> Curve | None:
        """An experiment's curve; None where there is none. JournalError where it is missing or changed."""
        from toughopt.compression import read_curves

        if experiment is None or experiment.curve is None:
            return None
        return read_curves(self.workspace.artifacts.get(experiment.curve))[0]

    def replicates(self, experiment: Experiment | None) -> list[Test]:
        """The newest tests of the same design, that one among them."""
        if experiment is None:
            return []
        same = [e for e in self.state.complete if e.design == experiment.design and e.curve and not e.excluded]
        tests = [(e, self.curve(e)) for e in same[-_MOST_REPLICATES:]]
        return [(e, curve) for e, curve in tests if curve is not None]

    def solid(self, experiment: Experiment | None) -> Solid | None:
        """The design as a solid, coarse; None where it cannot be built."""
        from toughopt.families import family

        if experiment is None:
            return None
        made = self.workspace.recipe.family
        if "chord_error" in made.fixed:
            fixed: dict[str, Any] = {**self.workspace.config.family.fixed, "chord_error": _COARSE_MM}
            made = family(made.name, **fixed)
        try:
            return made.solid(made.complete(experiment.design))
        except ToughoptError:  # a design that cannot be built has no picture; its failure is told elsewhere
            return None

    def program(self, experiment: Experiment | None) -> Program | None:
        """Its G-code, None where it was not sliced."""
        from toughopt.gcode import read_program

        if experiment is None or experiment.program is None:
            return None
        return read_program(self.workspace.artifacts.get(experiment.program).decode())

    def choice(self, experiment: Experiment) -> Choice:
        """Why it was proposed."""
        return choice_of(self.workspace.chooser, self.state, experiment, unit_of(self.objective))
