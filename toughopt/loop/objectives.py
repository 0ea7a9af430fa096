"""What a campaign optimizes beside its first objective, and where each figure is to be found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.families import Family
    from toughopt.journal import Experiment, State
    from toughopt.optimizer import Objective

_RECORDED = {"mass_g": "mass_g", "print_time_s": "program_time_s", "filament_g": "filament_g"}


def objectives_of(config: CampaignConfig, family: Family) -> tuple[Objective, ...]:
    """All objectives, the one of `[objective]` first; none where it is the only one.

    A mass that the family knows of a design before it is printed is taken from there: it needs no test.
    """
    from toughopt.optimizer import Objective

    first = config.objective
    if not first.against:
        return ()
    known = _designed_mass(family)
    return (
        Objective(first.name, first.goal, first.reference),
        *(Objective(o.name, o.goal, o.reference, known if o.name == "mass_g" else None) for o in first.against),
    )


def measured_beside(experiment: Experiment, objectives: tuple[Objective, ...]) -> dict[str, float] | None:
    """What the journal tells of an experiment's further objectives; what is missing is left out."""
    found = {}
    for objective in objectives[1:]:
        if objective.known is not None:
            continue
        if (figure := recorded(experiment, objective.name)) is not None:
            found[objective.name] = figure
    return found or None


def recorded(experiment: Experiment, name: str) -> float | None:
    """A figure of an experiment that may be an objective, as the journal has it; None where it has none."""
    figure = getattr(experiment, _RECORDED[name]) if name in _RECORDED else experiment.result.get(name)
    return None if figure is None else float(figure)


def figures_of(experiment: Experiment, objectives: tuple[Objective, ...]) -> list[float | None]:
    """All objectives of a complete experiment, in order: measured, or known of its design without a test."""
    import numpy as np

    columns = {name: np.array([value]) for name, value in experiment.design.items()}
    beside = measured_beside(experiment, objectives) or {}
    further = [beside.get(o.name) if o.known is None else float(o.known(columns)[0]) for o in objectives[1:]]
    return [experiment.value, *further]


def unbeaten(state: State, objectives: tuple[Objective, ...]) -> frozenset[int]:
    """Ids of the experiments that none beats in every objective, by their tests alone; none where there is one."""
    import numpy as np

    from toughopt.optimizer.hypervolume import nondominated

    rows = {e.id: figures_of(e, objectives) for e in state.complete if not e.excluded} if objectives else {}
    known = {i: [f for f in row if f is not None] for i, row in rows.items()}
    whole = {i: row for i, row in known.items() if len(row) == len(objectives)}
    if not whole:
        return frozenset()
    signs = np.array([o.sign for o in objectives])
    found = nondominated(signs * np.array(list(whole.values())))
    return frozenset(i for i, is_best in zip(whole, found, strict=True) if is_best)


def _designed_mass(family: Family) -> Callable[[Mapping[str, Any]], Any] | None:
    if "mass_g" not in family.feature_names:
        return None
    column = family.feature_names.index("mass_g")
    return lambda designs: family.features(designs)[:, column]
