"""The campaign's model, fitted once for all the figures that ask it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import ToughoptError
from toughopt.journal import State
from toughopt.optimizer import Optimizer
from toughopt.plots.landscape import Choice, Slice
from toughopt.plots.progress import Belief, incumbents, prediction
from toughopt.plots.style import label, unit_of
from toughopt.plots.trade import Trade

if TYPE_CHECKING:
    from toughopt.journal import Experiment
    from toughopt.loop.choosing import Chooser
    from toughopt.optimizer import Objective, Surrogate
    from toughopt.optimizer.insight import Parity, PartialDependence

_GRID = 41
_POINTS = 21


class _FittedOnce(Optimizer):
    """An optimizer that is told nothing more, so that its surrogate can be kept."""

    def __init__(self, told: Optimizer) -> None:
        self.__dict__.update(told.__dict__)
        self._fitted: Surrogate | None = None

    def surrogate(self) -> Surrogate | None:
        if self._fitted is None:
            self._fitted = super().surrogate()
        return self._fitted


class Learned:
    """What the model knows after `state`. Everything is computed when it is first asked for.

    Raises
    ------
    ObservationError
        From every question, while fewer than three values are known.
    """

    def __init__(self, chooser: Chooser, state: State) -> None:
        self._chooser = chooser
        self._state = state

    @cached_property
    def optimizer(self) -> Optimizer:
        """Told all that the model may learn from, and fitted once."""
        return _FittedOnce(self._chooser.optimizer(self._state))

    @cached_property
    def parity(self) -> Parity:
        """Each test predicted from all the others."""
        from toughopt.optimizer.insight import parity

        return parity(self.optimizer)

    @cached_property
    def dependences(self) -> list[PartialDependence]:
        """The effect of each parameter."""
        from toughopt.optimizer.insight import partial_dependence

        return [partial_dependence(self.optimizer, name, _POINTS) for name in self._chooser.parameters]

    @cached_property
    def relevance(self) -> dict[str, float]:
        """Share of the squared inverse length scales."""
        from toughopt.optimizer.insight import importances

        return importances(self.optimizer)

    @cached_property
    def effects(self) -> dict[str, float]:
        """Total effect of each parameter."""
        from toughopt.optimizer.insight import total_effects

        return total_effects(self.optimizer)

    @cached_property
    def beside_mass(self) -> dict[str, tuple[float, float]]:
        """Effect of each numeric parameter other than by adding mass, and its standard error."""
        from toughopt.optimizer.insight import effects_beside_mass

        weighed = {i: e.mass_g for i, e in enumerate(self._state.learned) if e.mass_g is not None}
        return effects_beside_mass(self.optimizer, weighed)

    @cached_property
    def belief(self) -> Belief:
        """What is believed today of each design that was once the best."""
        leaders = incumbents(self._state)
        mean, std = self._predict([e.design for e in leaders])
        return {e.id: (float(m), float(s)) for e, m, s in zip(leaders, mean, std, strict=True)}

    def slice(self, through: dict[str, Any], x: str, y: str) -> Slice:
        """The model over `x` and `y`, the other parameters as in the design `through`."""
        from scipy.special import ndtr

        parameters = {p.name: p for p in self.optimizer.space.parameters}
        xs, ys = (np.array(parameters[name].levels(_GRID), dtype=float) for name in (x, y))
        grid_x, grid_y = np.meshgrid(xs, ys)
        designs = [{**through, x: kind_x, y: kind_y} for kind_x, kind_y in zip(
            _typed(through[x], grid_x), _typed(through[y], grid_y), strict=True)]  # fmt: skip
        mean, std = self._predict(designs)
        allowed = np.asarray(self.optimizer.space.allowed(self.optimizer.space.columns(designs)), dtype=bool)
        sign = self._state.goal_sign
        tested = [e for e in self._state.complete if not e.excluded]
        top = float(np.max(sign * self._predict([e.design for e in tested])[0]))
        z = (sign * mean - top) / np.maximum(std, 1e-12)
        gain = std * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
        mean, std, gain = (np.where(allowed, values, np.nan).reshape(grid_x.shape) for values in (mean, std, gain))
        held = {name: value for name, value in through.items() if name not in (x, y)}
        seen = np.array([[float(e.design[x]), float(e.design[y])] for e in tested])
        return Slice(x, y, xs, ys, mean, std, gain, held, seen, (float(through[x]), float(through[y])))

    def main_pair(self) -> tuple[str, str] | None:
        """The two numeric parameters that contribute most; None where there are not two."""
        numeric = [
            p.name for p in self.optimizer.space.parameters if p.width == 1 and not isinstance(p.levels(2)[0], str)
        ]
        ranked = sorted(numeric, key=lambda name: -self.effects[name])
        return (ranked[0], ranked[1]) if len(ranked) > 1 else None

    def _predict(self, designs: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        optimizer = self.optimizer
        model = optimizer.surrogate()
        if model is None or not designs:
            return np.zeros(0), np.zeros(0)
        belief = model.predict(optimizer.encoder.encode(optimizer.space.columns(designs)))
        return optimizer.encoder.sign * belief.mean, belief.std


def choice_of(chooser: Chooser, state: State, experiment: Experiment, unit: str) -> Choice:
    """Why an experiment was proposed: in words, and, where a model chose it, what a test promised then."""
    from toughopt.loop.objectives import figures_of

    record, index = state.decision_of(experiment)
    if record is None:
        words = {
            "person": "A person asked for this design.",
            "retry": f"It stands in for experiment {experiment.root}, which the lab failed.",
            "import": "It came with an imported log.",
        }
        return Choice(experiment.id, None, [words.get(experiment.source, "No decision was logged."), *experiment.notes])
    expected = prediction(state, experiment)
    reasons = record.get("reasons")  # older journals have one for all
    words_ = [f"Policy {record['policy']!r}: {reasons[index] if reasons else record['reason']}."]
    trade = _trade(chooser, state, experiment, expected, int(record["n_observations"]))
    objectives = chooser.objectives
    if expected is not None:
        beside = _in_words(objectives[1:], _known(objectives, experiment)[1:])
        words_.append(f"It was expected to give {expected[0]:.4g} +/- {expected[1]:.2g} {unit}".rstrip() + f"{beside}.")
    seen, awaited = int(record["n_observations"]), len(record["pending"])
    words_.append(
        f"The decision saw {seen} result{'s' * (seen != 1)}; {awaited} {'was' if awaited == 1 else 'were'} awaited."
    )
    if record.get("fallback"):
        words_.append(f"The model could not be fitted; {record['fallback']} stood in.")
    if experiment.value is not None:
        beside = _in_words(objectives[1:], figures_of(experiment, objectives)[1:])
        words_.append(f"It gave {experiment.value:.4g} {unit}".rstrip() + f"{beside}.")
    landscape = None
    if expected is not None and not objectives:
        then = Learned(chooser, _state_seen(state, int(record["n_observations"])))
        try:
            pair = then.main_pair()
            landscape = then.slice(dict(experiment.design), *pair) if pair else None
        except ToughoptError:  # too little was known to draw a map of
            landscape = None
    return Choice(experiment.id, landscape, words_, trade)


def _trade(
    chooser: Chooser, state: State, experiment: Experiment, expected: tuple[float, float] | None, seen: int
) -> Trade | None:
    """Where the design was expected between the first two objectives; None with one, or where no model chose it."""
    from toughopt.loop.objectives import figures_of, unbeaten

    objectives = chooser.objectives
    if not objectives or expected is None:
        return None
    then = _state_seen(state, seen)
    told = {e.id: figures_of(e, objectives)[:2] for e in then.complete if not e.excluded}
    whole = {i: row for i, row in told.items() if None not in row}
    leaders = unbeaten(then, objectives)
    beside = _known(objectives, experiment)[1]
    first, second = figures_of(experiment, objectives)[:2]
    return Trade(
        (objectives[0].name, objectives[1].name),
        (objectives[0].goal, objectives[1].goal),
        len(objectives),
        np.array(list(whole.values()), dtype=float).reshape(-1, 2),
        np.array([i in leaders for i in whole], dtype=bool),
        None if beside is None else (*expected, beside),
        None if first is None or second is None else (first, second),
    )


def _known(objectives: tuple[Objective, ...], experiment: Experiment) -> list[float | None]:
    """What is known of a design without a test, by objective."""
    columns = {name: np.array([value]) for name, value in experiment.design.items()}
    return [None if o.known is None else float(np.asarray(o.known(columns))[0]) for o in objectives]


def _in_words(objectives: tuple[Objective, ...], figures: list[float | None]) -> str:
    """Figures beside the first objective's, those that are known."""
    words = []
    for objective, figure in zip(objectives, figures, strict=True):
        if figure is not None:
            name = label(objective.name).partition(" [")[0]
            words.append(f"{name} {figure:.4g} {unit_of(objective.name)}".rstrip())
    return f" ({', '.join(words)})" if words else ""


def _state_seen(state: State, count: int) -> State:
    """A state of which the model learns the first `count` results."""
    return State(config=state.config, experiments={e.id: e for e in state.learned[:count]})


def _typed(like: Any, grid: np.ndarray) -> list[Any]:
    flat = grid.ravel().tolist()
    return [round(value) for value in flat] if isinstance(like, int) else flat
