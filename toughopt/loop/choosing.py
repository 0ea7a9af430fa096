"""From the journal's state to the next designs: every decision follows from the events before it and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, ToughoptError, UnknownName
from toughopt.journal import State
from toughopt.journal import events as ev

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.families import Family
    from toughopt.optimizer import Decision, Observation, Optimizer, Recommendation, Space


class Chooser:
    """Chooses designs for one campaign; holds only what its configuration says."""

    def __init__(self, config: CampaignConfig, family: Family) -> None:
        self.config = config
        self.family = family

    @cached_property
    def dimensions(self) -> dict[str, dict[str, Any]]:
        """The family's parameters, within the limits that the campaign sets. Raises ConfigError, UnknownName."""
        space: dict[str, dict[str, Any]] = {name: dict(entry) for name, entry in self.family.space().items()}
        for name, wanted in self.config.family.parameters.items():
            if name not in space:
                raise UnknownName(f"parameter of {self.family.name}", name, space)
            narrower = wanted.model_dump(exclude_none=True)
            for key, sign in (("low", 1), ("high", -1)):
                if key in narrower and sign * narrower[key] < sign * space[name].get(key, narrower[key]):
                    raise ConfigError(
                        f"campaign.toml, [family.parameters.{name}]: {key} = {narrower[key]:g} is outside the family's "
                        f"{space[name]['low']:g} to {space[name]['high']:g}"
                    )
            space[name] |= narrower
        return space

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that are varied."""
        return tuple(self.dimensions)

    @cached_property
    def space(self) -> Space:
        """The designs that may be chosen. Raises ConfigError where the limits leave none."""
        from toughopt.optimizer import Space

        try:
            return Space.from_dict(self.dimensions).with_constraint(self.family.is_valid)
        except ToughoptError as error:
            raise ConfigError(f"campaign.toml, [family.parameters]: {error}") from error

    @property
    def settings(self) -> dict[str, Any]:
        """Of the policy and of the campaign, as decisions record them."""
        optimizer = self.config.optimizer
        minimize = self.config.objective.goal == "min"
        campaign = {"minimize": minimize, "initial": optimizer.initial, "seed": self.config.seed}
        return {**optimizer.settings, **campaign}

    def choose(self, state: State, count: int) -> list[ev.Proposed]:
        """`count` proposals; the first carries the whole decision, the others point at it.

        Raises
        ------
        UnknownName, ConfigError
            If the policy does not exist, or does not know one of its settings.
        """
        decision = self.decide(state, count)
        first = state.next_id()
        record = decision.to_dict()
        proposals = []
        for index, design in enumerate(decision.designs):
            carried = record if index == 0 else {"made_with": first, "index": index}
            proposals.append(ev.Proposed(design=dict(design), source="policy", decision=carried))
        return proposals

    def decide(self, state: State, count: int) -> Decision:
        """The decision that the policy makes after `state`: a pure function of it."""
        from toughopt.optimizer import decide, first_generator_state

        previous = last_decision(state)
        return decide(
            self.space,
            self.observations(state),
            [e.design for e in state.under_way],
            self.config.optimizer.policy,
            self.settings,
            previous.get("rng_after") or first_generator_state(self.config.seed),
            previous.get("fitted_hyperparameters") or {},
            count,
            features=self._features,
        )

    def observations(self, state: State) -> list[Observation]:
        """What the model learns from, in the order in which it became known."""
        from toughopt.optimizer import observe

        return [
            observe(self.space, e.design, e.value, noise_std=e.noise_std, censored=e.censored, failed=e.value is None)
            for e in state.learned
        ]

    def optimizer(self, state: State) -> Optimizer:
        """An optimizer that knows what `state` tells, for questions that choose nothing."""
        from toughopt.optimizer import Optimizer

        settings = {name: value for name, value in self.settings.items() if name not in ("minimize", "initial", "seed")}
        made = Optimizer(
            self.space,
            self.config.optimizer.policy,
            self.config.seed,
            minimize=self.config.objective.goal == "min",
            features=self._features,
            settings=settings,
        )
        for o in self.observations(state):
            told = None if o.failed else o.value
            made.tell([o.design], [told], noise_std=o.noise_std, censored=o.censored, failed=o.failed)
        return made

    def recommend(self, state: State) -> Recommendation | None:
        """The tested design with the best posterior mean, None before anything was measured."""
        if not any(e.value is not None for e in state.learned):
            return None
        return self.optimizer(state).recommend()

    def stopping_rule(self, state: State, now: datetime) -> tuple[str, str] | None:
        """The rule that ends the campaign now, and its reason; None to go on."""
        rules = self.config.stopping
        if rules.hours is not None and state.experiments:
            begun = datetime.fromisoformat(min(e.times["proposed"] for e in state.experiments.values()))
            passed = (now - begun).total_seconds() / 3600.0
            if passed >= rules.hours:
                return "time", f"{passed:.1f} h have passed, of {rules.hours:g} h allowed"
        if rules.target is not None and state.complete:
            found = self._target_reached(state, rules.target, rules.target_confidence)
            if found is not None:
                return "target", found
        return None

    def _target_reached(self, state: State, target: float, confidence: float) -> str | None:
        from scipy.stats import norm

        sign = state.goal_sign
        best = state.best
        if best is None or best.value is None or sign * best.value < sign * target:
            return None
        found = self.recommend(state)
        if found is None:
            return None
        sure = float(norm.cdf(sign * (found.mean - target) / max(found.std, 1e-12)))
        if sure < confidence:
            return None
        return f"the best design reaches {target:g} with probability {sure:.2f} (asked for {confidence:g})"

    @cached_property
    def _features(self) -> Callable[[Mapping[str, Any]], Any] | None:
        """What the family knows of a design that helps a model beside the parameters; None where it is not wanted."""
        wanted = self.config.optimizer.features and self.family.model_feature_names
        return self.family.model_features if wanted else None


def last_decision(state: State) -> Mapping[str, Any]:
    """The record of the newest decision that a policy made; empty before the first."""
    for experiment in reversed(state.experiments.values()):
        decision = experiment.decision
        if decision is not None and "made_with" not in decision:
            return decision
    return {}
