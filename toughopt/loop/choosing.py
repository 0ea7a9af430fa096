"""From the journal's state to the next designs: every decision follows from the events before it and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, ObservationError, ToughoptError, UnknownName
from toughopt.journal import State
from toughopt.journal import events as ev
from toughopt.loop.knowledge import earlier_campaigns, press_prior
from toughopt.loop.objectives import measured_beside, objectives_of
from toughopt.tomlplace import said_at

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.families import Family
    from toughopt.optimizer import Decision, Front, Objective, Observation, Optimizer, Recommendation, Source, Space

Columns = Callable[[Mapping[str, Any]], Any]
_CAMPAIGN = ("minimize", "initial", "seed", "objectives")  # settings that are not the policy's


class Chooser:
    """Chooses designs for one campaign; holds what its configuration says, and what it last said of when to stop."""

    def __init__(self, config: CampaignConfig, family: Family, folder: Path) -> None:
        self.config = config
        self.family = family
        self.folder = folder  # what names of earlier campaigns are relative to
        self._judged: tuple[int, tuple[str, str] | None] = (0, None)  # what a stopping rule said of which results

    def check(self) -> None:
        """Whether designs can be chosen as configured. Raises ConfigError, UnknownName."""
        from toughopt.optimizer import available_policies

        name = self._meant(self.config.optimizer.policy)
        with said_at(self.folder, "optimizer", "settings" if name in available_policies() else "policy"):
            self.check_policy(name, **self.config.optimizer.settings)
        for needed, key in (("space", ""), ("sources", "learn_from"), ("_prior", "prior")):
            with said_at(self.folder, "optimizer", key) if key else nullcontext():
                getattr(self, needed)

    def check_policy(self, name: str, **settings: Any) -> None:
        """Whether a policy exists, and what its model needs is installed. Raises ConfigError, UnknownName."""
        from toughopt.optimizer import Encoder, policy
        from toughopt.optimizer.surrogates import make_surrogate

        every = getattr(policy(name, **settings), "settings", {})
        if "surrogate" in every:
            make_surrogate(every, Encoder(self.space), 0)

    @cached_property
    def dimensions(self) -> dict[str, dict[str, Any]]:
        """The family's parameters, within the limits that the campaign sets. Raises ConfigError, UnknownName."""
        space: dict[str, dict[str, Any]] = {name: dict(entry) for name, entry in self.family.space().items()}
        for name, wanted in self.config.family.parameters.items():
            with said_at(self.folder, "family", "parameters", name):
                if name not in space:
                    raise UnknownName(f"parameter of {self.family.name}", name, space)
                narrower = wanted.model_dump(exclude_none=True)
                for key, sign in (("low", 1), ("high", -1)):
                    if key in narrower and sign * narrower[key] < sign * space[name].get(key, narrower[key]):
                        raise ConfigError(
                            f"[family.parameters.{name}] {key} = {narrower[key]:g} is outside the family's "
                            f"{space[name]['low']:g} to {space[name]['high']:g}"
                        )
                space[name] |= narrower
        return space

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that are varied."""
        return tuple(self.dimensions)

    @property
    def by_printer(self) -> bool:
        """Whether the model tells the printers apart, so that each design is chosen for one of them."""
        return "printer" in self.config.optimizer.context

    @cached_property
    def space(self) -> Space:
        """The designs that may be chosen. Raises ConfigError where the limits leave none."""
        dimensions = dict(self.dimensions)
        if self.by_printer:
            names = [printer.name for printer in self.config.printers]
            dimensions["printer"] = {"type": "categorical", "values": names, "context": True}
        for name in self.config.family.parameters:  # one by one, so that what is wrong has its line
            with said_at(self.folder, "family", "parameters", name):
                _spaced({name: dimensions[name]})
        with said_at(self.folder, "family", "parameters"):
            return _spaced(dimensions).with_constraint(self.family.is_valid)

    def policy_of(self, state: State, printer: str = "") -> str:
        """The policy that chooses for `printer`: as steered for it, as steered for all, as configured.

        Of several objectives the default is `ehvi`.
        """
        steered = state.steering.get(f"policy:{printer}") or state.steering.get("policy")
        return self._meant(str(steered or self.config.optimizer.policy))

    def _meant(self, policy_name: str) -> str:
        return "ehvi" if self.objectives and policy_name == "default" else policy_name

    def tells_printers_apart(self, state: State) -> bool:
        """Whether each design has to be chosen for a certain printer."""
        return self.by_printer or any(key.startswith("policy:") and value for key, value in state.steering.items())

    def settings(self, state: State, policy_name: str, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Of the policy and of the campaign, as decisions record them; those of `held` that the policy has beneath."""
        from toughopt.optimizer import policy
        from toughopt.optimizer.policies import box_settings

        optimizer = self.config.optimizer
        known = policy(policy_name).settings
        steered = {"printability": state.steering.get("printability")}
        own = dict(optimizer.settings) if policy_name == self._meant(optimizer.policy) else {}
        own |= {name: value for name, value in steered.items() if value is not None and name in known}
        minimize = self.config.objective.goal == "min"
        several = {"objectives": [o.record() for o in self.objectives]} if self.objectives else {}
        beneath = {name: value for name, value in (held or {}).items() if name in known}
        return {
            **box_settings(policy_name, self.space),
            **beneath,
            **own,
            "minimize": minimize,
            "initial": optimizer.initial,
            "seed": self.config.seed,
            **several,
        }

    def choose(self, state: State, count: int, printer: str = "") -> list[ev.Proposed]:
        """`count` proposals; the first carries the whole decision, the others point at it.

        Parameters
        ----------
        printer : the one that they are for, where each printer is chosen for by itself

        Raises
        ------
        UnknownName, ConfigError
            If the policy does not exist, or does not know one of its settings.
        """
        decision = self.decide(state, count, printer)
        first = state.next_id()
        record = decision.to_dict()
        proposals = []
        for index, design in enumerate(decision.designs):
            carried = record if index == 0 else {"made_with": first, "index": index}
            proposals.append(ev.Proposed(design=dict(design), source="policy", decision=carried, printer=printer))
        return proposals

    def decide(self, state: State, count: int, printer: str = "", *, held: Mapping[str, Any] | None = None) -> Decision:
        """The decision that the policy makes after `state`: a pure function of it.

        held : settings of the policy that are not this version's defaults, where the campaign does not say otherwise
        """
        from toughopt.optimizer import decide, first_generator_state

        previous = last_decision(state)
        policy_name = self.policy_of(state, printer)
        fitted = previous.get("fitted_hyperparameters") if previous.get("policy") == policy_name else None
        return decide(
            self.space,
            self.observations(state),
            [e.design for e in state.under_way],
            policy_name,
            self.settings(state, policy_name, held),
            previous.get("rng_after") or first_generator_state(self.config.seed),
            fitted or {},
            count,
            {"printer": printer} if self.by_printer and printer else None,
            features=self._features,
            prior=self._prior,
            constraint=steered_limits(state.steering),
            sources=self.sources,
            known={o.name: o.known for o in self.objectives if o.known is not None},
        )

    def observations(self, state: State) -> list[Observation]:
        """What the model learns from, in the order in which it became known."""
        from toughopt.optimizer import observe

        return [
            observe(
                self.space,
                e.design,
                e.value,
                noise_std=e.noise_std,
                censored=e.censored,
                failed=e.value is None,
                context={"printer": e.printer} if self.by_printer and e.printer else None,
                others=measured_beside(e, self.objectives),
            )
            for e in state.learned
        ]

    def optimizer(self, state: State) -> Optimizer:
        """An optimizer that knows what `state` tells, for questions that choose nothing."""
        from toughopt.optimizer import Optimizer

        policy_name = self.policy_of(state)
        every = self.settings(state, policy_name)
        made = Optimizer(
            self.space,
            policy_name,
            self.config.seed,
            minimize=self.config.objective.goal == "min" and not self.objectives,
            objectives=self.objectives,
            features=self._features,
            prior=self._prior,
            sources=self.sources,
            settings={name: value for name, value in every.items() if name not in _CAMPAIGN},
        )
        for o in self.observations(state):
            told = {self.config.objective.name: o.value, **(o.others or {})} if self.objectives else o.value
            made.tell(
                [o.design], [told], noise_std=o.noise_std, censored=o.censored, failed=o.failed, context=o.context
            )
        return made

    def recommend(self, state: State) -> Recommendation | None:
        """The tested design with the best posterior mean, None before anything was measured."""
        if not any(e.value is not None for e in state.learned):
            return None
        return self.optimizer(state).recommend()

    def front(self, state: State) -> Front | None:
        """The Pareto front of the tested designs; None with one objective, or before all of them were measured."""
        if not self.objectives:
            return None
        try:
            return self.optimizer(state).front()
        except ObservationError:  # too little is known yet
            return None

    def stopping_rule(self, state: State, now: datetime) -> tuple[str, str] | None:
        """The rule that ends the campaign now, and its reason; None to go on."""
        rules = self.config.stopping
        if rules.hours is not None and state.experiments:
            begun = datetime.fromisoformat(min(e.times["proposed"] for e in state.experiments.values()))
            passed = (now - begun).total_seconds() / 3600.0
            if passed >= rules.hours:
                return "time", f"{passed:.1f} h have passed, of {rules.hours:g} h allowed"
        target = state.steering.get("target", rules.target)
        if target is not None and state.complete:
            found = self._target_reached(state, float(target), rules.target_confidence)
            if found is not None:
                return "target", found
        return self._enough(state)

    def _enough(self, state: State) -> tuple[str, str] | None:
        """The rules that ask the model, once for each set of results."""
        from toughopt.optimizer import Stopping

        rules = self.config.stopping
        if rules.smallest_gain is None and rules.interval is None:
            return None
        seen = hash(tuple((e.id, e.value, e.censored) for e in state.learned))
        if self._judged[0] != seen:
            judge = Stopping(smallest_gain=rules.smallest_gain, interval=rules.interval, fewest=rules.fewest)
            stop = judge.check(self.optimizer(state))
            self._judged = seen, None if stop is None else (stop.rule, stop.reason)
        return self._judged[1]

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
        if not sure >= confidence:  # without a model nobody knows how sure it is
            return None
        return f"the best design reaches {target:g} with probability {sure:.2f} (asked for {confidence:g})"

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them where there are several; none where there is one."""
        return objectives_of(self.config, self.family)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Earlier campaigns that the model learns from. Raises ConfigError where one cannot be read."""
        return earlier_campaigns(
            [(self.folder / name).resolve() for name in self.config.optimizer.learn_from],
            self.parameters,
            self.config.objective.name,
        )

    @cached_property
    def _features(self) -> Columns | None:
        """What the family knows of a design that helps a model beside the parameters; None where it is not wanted."""
        wanted = self.config.optimizer.features and self.family.model_feature_names
        return self.family.model_features if wanted else None

    @cached_property
    def _prior(self) -> Columns | None:
        """What mechanics expects of a design; None where it is not wanted."""
        return press_prior(self.config, self.family) if self.config.optimizer.prior == "press" else None


def _spaced(dimensions: Mapping[str, Mapping[str, Any]]) -> Space:
    from toughopt.optimizer import Space

    try:
        return Space.from_dict(dimensions)
    except ToughoptError as error:
        raise ConfigError(f"[family.parameters] {error}") from error


def steered_limits(steering: Mapping[str, Any]) -> Columns | None:
    """The narrower limits that people set while it ran, as a constraint; None where they set none."""
    steered = [(key, value) for key, value in steering.items() if key.startswith(("low:", "high:"))]
    limits = [
        (key.partition(":")[0], key.partition(":")[2], float(value)) for key, value in steered if value is not None
    ]
    if not limits:
        return None

    def within(designs: Mapping[str, Any]) -> Any:
        import numpy as np

        inside = [
            np.asarray(designs[name]) >= limit if end == "low" else np.asarray(designs[name]) <= limit
            for end, name, limit in limits
        ]
        return np.logical_and.reduce(inside)

    return within


def last_decision(state: State) -> Mapping[str, Any]:
    """The record of the newest decision that a policy made; empty before the first."""
    for experiment in reversed(state.experiments.values()):
        decision = experiment.decision
        if decision is not None and "made_with" not in decision:
            return decision
    return {}
