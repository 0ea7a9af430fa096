"""Ask and tell: the one object here that changes. Each ask is one pure decision plus bookkeeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from toughopt.errors import ConfigError, InputError
from toughopt.optimizer.base import Constraint, Design, Features, Policy, Surrogate, Task, Value
from toughopt.optimizer.decision import (
    CAMPAIGN_SETTINGS,
    Decision,
    decide,
    first_generator_state,
    generator,
)
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.front import Front, pareto_front
from toughopt.optimizer.objectives import Objective, checked_objectives, recorded_objectives
from toughopt.optimizer.observations import Observation, observations_sha256
from toughopt.optimizer.policies import box_settings
from toughopt.optimizer.policies import policy as policy_named
from toughopt.optimizer.proposing import fitted
from toughopt.optimizer.recommendation import Recommendation, expected_gain, recommend
from toughopt.optimizer.space import Key, Space
from toughopt.optimizer.tasks import make_task
from toughopt.optimizer.telling import observe_all
from toughopt.optimizer.transfer import Source


class Optimizer:
    """Proposes designs and learns from their tests.

    Parameters
    ----------
    space : Space
    policy : name of a policy, or one with settings of its own from ``policy(name, **settings)``
    seed : same seed, same observations in the same order: same designs on the same platform
    minimize : whether smaller values are better
    objectives : two to four where there are several; the first is the one that `recommend` and single-objective
        policies speak of, and `minimize` is then left out. The policy "default" then means "ehvi"
    initial : designs of a Latin hypercube before the model chooses; None for one more than there are parameters, and at
        least five. Designs told from elsewhere count.
    features : callable from columns to (n, k), further inputs of the model
    prior : callable ``prior(designs: Mapping[str, ndarray]) -> ndarray (n,)``: a guess at the objective, in its units,
        such as a simulation's, that the data may overrule
    sources : earlier campaigns, ``Source(name, designs, values)``; they may mislead, the data then overrules them
    constraint : callable from columns to (n,) bool, in addition to the space's own
    settings : of the policy, in addition to its defaults

    Raises
    ------
    UnknownName, ConfigError
        If there is no such policy or setting.
    SpaceError
        If the space is empty, or features or prior answer with the wrong shape.
    """

    def __init__(
        self,
        space: Space,
        policy: str | Policy = "default",
        seed: int = 1,
        *,
        minimize: bool = False,
        objectives: Sequence[Objective] = (),
        initial: int | None = None,
        features: Features | None = None,
        prior: Features | None = None,
        constraint: Constraint | None = None,
        sources: Sequence[Source] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise ConfigError(f"seed = {seed!r} must be a whole number that is not negative")
        if initial is not None and initial < 0:
            raise ConfigError(f"initial = {initial} must not be negative")
        self.objectives = checked_objectives(objectives)
        if self.objectives and minimize:
            raise ConfigError("minimize= is for one objective; of several, each has its own goal")
        minimize = self.objectives[0].goal == "min" if self.objectives else bool(minimize)
        self.space = space if constraint is None else space.with_constraint(constraint)
        self._policy = self._named(policy, settings or {})
        self._campaign: dict[str, Any] = {
            "minimize": minimize,
            "initial": max(5, len(space.parameters) + 1) if initial is None else int(initial),
            "seed": int(seed),
        }
        if self.objectives:
            self._campaign["objectives"] = [o.record() for o in self.objectives]
        self.encoder = Encoder(self.space, features, prior, -1.0 if minimize else 1.0, sources)
        self._observations: list[Observation] = []
        self._pending: dict[Key, dict[str, Value]] = {}
        self._rng_state: Mapping[str, Any] = first_generator_state(seed)
        self._hyperparameters: Mapping[str, Any] = {}
        self._last: Decision | None = None

    @classmethod
    def restore(
        cls,
        space: Space,
        record: Decision | Mapping[str, Any],
        observations: Sequence[Observation],
        pending: Sequence[Design] | None = None,
        *,
        after: bool = False,
        features: Features | None = None,
        prior: Features | None = None,
        constraint: Constraint | None = None,
        sources: Sequence[Source] = (),
        known: Mapping[str, Features] | None = None,
    ) -> Optimizer:
        """An optimizer as it was when it made a logged decision, or, with ``after=True``, right after it.

        Before it (to derive the decision again): ``ask(record.k, context=record.context)`` gives its designs.
        After it (to go on): hand in all observations and all designs that are pending now.

        Parameters
        ----------
        observations : those that the decision saw, in their order; with ``after`` all that there are
        known : the callables of objectives that need no test, by name
        pending : designs that were pending; None for those in the record (and, with ``after``, those it chose)

        Raises
        ------
        InputError
            If the observations, or the sources, are not those that the decision saw.
        """
        decision = record if isinstance(record, Decision) else Decision.from_dict(record)
        if not after and observations_sha256(observations) != decision.observations_sha256:
            raise InputError(
                f"the decision saw {decision.n_observations} observations with another hash than the "
                f"{len(observations)} handed in: hand in those told before it, in their order"
            )
        if (given := [s.record() for s in sources]) != [dict(s) for s in decision.sources]:
            raise InputError(
                f"the decision drew on the sources {_named(decision.sources)}, not on {_named(given)}: hand in "
                "the same, in their order"
            )
        campaign = {name: decision.settings.get(name, default) for name, default in CAMPAIGN_SETTINGS.items()}
        made = cls(
            space,
            decision.policy,
            int(campaign["seed"]),
            minimize=bool(campaign["minimize"]) and not campaign["objectives"],
            objectives=recorded_objectives(campaign["objectives"], known or {}),
            initial=int(campaign["initial"]),
            features=features,
            prior=prior,
            constraint=constraint,
            sources=sources,
            settings={n: v for n, v in decision.settings.items() if n not in CAMPAIGN_SETTINGS},
        )
        made._observations = list(observations)
        made._rng_state = dict(decision.rng_after if after else decision.rng_before)
        made._hyperparameters = decision.fitted_hyperparameters if after else decision.start_hyperparameters
        made._last = decision if after else None
        if pending is None:
            pending = [*decision.pending, *(decision.designs if after else ())]
            told = {made.space.key(o.design) for o in observations[decision.n_observations :]}
            pending = [d for d in pending if made.space.key(d) not in told]
        for design in pending:
            made.expect(design)
        return made

    @property
    def policy(self) -> Policy:
        """The policy in use."""
        return self._policy

    @property
    def settings(self) -> dict[str, Any]:
        """Of the policy and of the campaign, as decisions record them."""
        return {**self._policy.settings, **self._campaign}

    @property
    def minimize(self) -> bool:
        """Whether smaller values are better."""
        return bool(self._campaign["minimize"])

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All that was told, in its order."""
        return tuple(self._observations)

    @property
    def pending(self) -> tuple[dict[str, Value], ...]:
        """Designs asked for that are neither told nor forgotten."""
        return tuple(dict(d) for d in self._pending.values())

    @property
    def last_decision(self) -> Decision | None:
        """The latest ask's, or None before the first."""
        return self._last

    def tell(
        self,
        designs: Sequence[Design],
        values: Sequence[float | Mapping[str, float | None] | None],
        *,
        noise_std: Sequence[float | None] | float | None = None,
        censored: Sequence[bool] | bool | None = None,
        context: Sequence[Design | None] | Design | None = None,
        failed: Sequence[bool] | bool | None = None,
    ) -> None:
        """Add results; all of them or, where one is wrong, none.

        Parameters
        ----------
        values : one a design; not looked at where `failed`. With several objectives a mapping from their names to
            values, in which all but the first may be missing; those known without a test need not be told
        noise_std : standard deviation of each value's noise, where it is known
        censored : (of the first objective) True where the truth is at least (at most, if minimised) the value
        context : of each, or one for all
        failed : True where the design is to blame for giving no value

        Raises
        ------
        ObservationError
            If the numbers of designs and values differ, or a value is not a finite number.
        DesignError
            If a design or context is not one of the space.
        """
        found = observe_all(self.space, self.objectives, designs, values, noise_std, censored, context, failed)
        for observation in found:
            self._pending.pop(self.space.key(observation.design), None)
            self._observations.append(observation)

    def ask(self, k: int = 1, *, context: Design | None = None) -> list[dict[str, Value]]:
        """`k` designs to test next; they are pending until told, failed or forgotten.

        Raises
        ------
        SpaceError, ExtensionError
            If nothing is left to propose, or a policy of another package fails.
        """
        decision = decide(
            self.space,
            self._observations,
            self.pending,
            self._policy.name,
            self.settings,
            self._rng_state,
            self._hyperparameters,
            k,
            self.space.check_context(context),
            known=self._known,
            encoder=self.encoder,
        )
        self._rng_state = decision.rng_after
        self._hyperparameters = decision.fitted_hyperparameters
        self._last = decision
        for design in decision.designs:
            self.expect(design)
        return [dict(d) for d in decision.designs]

    def expect(self, design: Design) -> None:
        """Count a design that somebody else chose as pending."""
        plain = self.space.check(design)
        self._pending[self.space.key(plain)] = plain

    def forget(self, design: Design) -> None:
        """Stop waiting for a design; it may be proposed again. DesignError where it is not one of the space."""
        self._pending.pop(self.space.key(self.space.check(design)), None)

    def use(self, policy: str | Policy, **settings: Any) -> None:
        """Go on with another policy; observations, pending designs and random state stay."""
        self._policy = self._named(policy, settings)
        self._hyperparameters = {}

    def surrogate(self) -> Surrogate | None:
        """The policy's surrogate fitted to all that was told (the default one's where the policy has none).

        Raises FitFailed where there is nothing to fit to.
        """
        model_policy = self._with_model()
        return fitted(self._task(model_policy), model_policy)

    def recommend(self, *, too_strong: bool = False, by: Literal["mean", "lower"] = "mean") -> Recommendation:
        """The tested design with the best predicted mean; not the luckiest test.

        Parameters
        ----------
        by : "lower" for the best lower end of a 95 % interval: good for sure instead of perhaps better
        too_strong : whether designs count whose tests are more likely than not to be censored

        Raises
        ------
        ObservationError
            If no value has been told yet.
        """
        model_policy = self._with_model()
        return recommend(self._task(model_policy), model_policy, too_strong, by)

    def front(self) -> Front:
        """The tested designs of which none is beaten in every objective, by what is predicted of them.

        Raises ObservationError where no value has been told yet.
        """
        chosen_by = self._policy if self._policy.name == "ehvi" else policy_named("ehvi")
        return pareto_front(self._task(chosen_by), chosen_by)

    def expected_gain(self) -> float:
        """Expected rise of the best true mean from the most promising next test, in the units of the objective.

        Raises ObservationError where no value has been told yet.
        """
        model_policy = self._with_model()
        return expected_gain(self._task(model_policy), model_policy)

    def _task(self, chosen_by: Policy) -> Task:
        rng = generator(self._rng_state)
        start = self._hyperparameters if chosen_by is self._policy else {}
        return make_task(
            self.space,
            self._observations,
            [],
            chosen_by,
            self._campaign,
            rng,
            start,
            1,
            None,
            self.encoder,
            self.objectives,
        )

    @property
    def _known(self) -> dict[str, Features]:
        return {o.name: o.known for o in self.objectives if o.known is not None}

    def _with_model(self) -> Policy:
        """The policy in use, or the default one where that has no model."""
        if self._policy.needs_observations:
            return self._policy
        return policy_named("default", **box_settings("default", self.space))

    def _named(self, policy: str | Policy, settings: Mapping[str, Any]) -> Policy:
        name = policy if isinstance(policy, str) else policy.name
        if self.objectives and policy == "default":
            name = "ehvi"
        own = box_settings(name, self.space) if isinstance(policy, str) else policy.settings
        return policy_named(name, **{**own, **settings})


def _named(records: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{r['name']} ({r['tests']} tests, {str(r['sha256'])[:12]})" for r in records) or "none"
