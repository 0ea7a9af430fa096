"""Ask and tell: the one object here that changes. Each ask is one pure decision plus bookkeeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toughopt.errors import ConfigError, InputError, ObservationError
from toughopt.optimizer.base import Constraint, Design, Features, Policy, Surrogate, Task, Value
from toughopt.optimizer.decision import (
    CAMPAIGN_SETTINGS,
    Decision,
    decide,
    first_generator_state,
    generator,
    make_task,
)
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.observations import Observation, observations_sha256, observe
from toughopt.optimizer.policies import policy as policy_named
from toughopt.optimizer.recommendation import Recommendation, expected_gain, recommend
from toughopt.optimizer.space import Key, Space
from toughopt.optimizer.transfer import Source


class Optimizer:
    """Proposes designs and learns from their tests.

    Parameters
    ----------
    space : Space
    policy : name of a policy, or one with settings of its own from ``policy(name, **settings)``
    seed : same seed, same observations in the same order: same designs on the same platform
    minimize : whether smaller values are better
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
        initial: int | None = None,
        features: Features | None = None,
        prior: Features | None = None,
        constraint: Constraint | None = None,
        sources: Sequence[Source] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if seed < 0:
            raise ConfigError(f"seed = {seed} must not be negative")
        if initial is not None and initial < 0:
            raise ConfigError(f"initial = {initial} must not be negative")
        name = policy if isinstance(policy, str) else policy.name
        own = {} if isinstance(policy, str) else dict(policy.settings)
        self._policy = policy_named(name, **{**own, **(settings or {})})
        self.space = space if constraint is None else space.with_constraint(constraint)
        self._campaign = {
            "minimize": bool(minimize),
            "initial": max(5, len(space.parameters) + 1) if initial is None else int(initial),
            "seed": int(seed),
        }
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
    ) -> Optimizer:
        """An optimizer as it was when it made a logged decision, or, with ``after=True``, right after it.

        Before it (to derive the decision again): ``ask(record.k, context=record.context)`` gives its designs.
        After it (to go on): hand in all observations and all designs that are pending now.

        Parameters
        ----------
        observations : those that the decision saw, in their order; with ``after`` all that there are
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
            minimize=bool(campaign["minimize"]),
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
        values: Sequence[float | None],
        *,
        noise_std: Sequence[float | None] | float | None = None,
        censored: Sequence[bool] | bool | None = None,
        context: Sequence[Design | None] | Design | None = None,
        failed: Sequence[bool] | bool | None = None,
    ) -> None:
        """Add results; all of them or, where one is wrong, none.

        Parameters
        ----------
        values : one a design; not looked at where `failed`
        noise_std : standard deviation of each value's noise, where it is known
        censored : True where the truth is at least (at most, if minimised) the value
        context : of each, or one for all
        failed : True where the design is to blame for giving no value

        Raises
        ------
        ObservationError
            If the numbers of designs and values differ, or a value is not a finite number.
        DesignError
            If a design or context is not one of the space.
        """
        n = len(designs)
        if len(values) != n:
            raise ObservationError(f"{n} designs and {len(values)} values were told; give one value a design")
        noise = _each(noise_std, n, "noise_std")
        bounds = _each(censored, n, "censored")
        contexts = _each(context, n, "context")
        failures = _each(failed, n, "failed")
        found = [
            observe(
                self.space,
                designs[i],
                values[i],
                noise_std=noise[i],
                censored=bool(bounds[i]),
                context=contexts[i],
                failed=bool(failures[i]),
            )
            for i in range(n)
        ]
        for observation in found:
            self._pending.pop(self.space.key(observation.design), None)
            self._observations.append(observation)

    def ask(self, k: int = 1, *, context: Design | None = None) -> list[dict[str, Value]]:
        """`k` designs to test next; they are pending until told, failed or forgotten.

        Raises
        ------
        SpaceError
            If nothing is left to propose.
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
        name = policy if isinstance(policy, str) else policy.name
        own = {} if isinstance(policy, str) else dict(policy.settings)
        self._policy = policy_named(name, **{**own, **settings})
        self._hyperparameters = {}

    def surrogate(self) -> Surrogate | None:
        """The policy's surrogate fitted to all that was told (the default one's where the policy has none).

        The optimizer does not change. Raises FitFailed where there is nothing to fit to.
        """
        model_policy = self._policy if self._policy.needs_observations else policy_named("default")
        return model_policy.surrogate(self._task(model_policy))

    def recommend(self, *, too_strong: bool = False) -> Recommendation:
        """The tested design with the best predicted mean; not the luckiest test.

        Parameters
        ----------
        too_strong : whether designs count whose tests are more likely than not to be censored

        Raises
        ------
        ObservationError
            If no value has been told yet.
        """
        model_policy = self._policy if self._policy.needs_observations else policy_named("default")
        return recommend(self._task(model_policy), model_policy, too_strong)

    def expected_gain(self) -> float:
        """Expected rise of the best true mean from the most promising next test, in the units of the objective.

        Raises
        ------
        ObservationError
            If no value has been told yet.
        """
        model_policy = self._policy if self._policy.needs_observations else policy_named("default")
        return expected_gain(self._task(model_policy), model_policy)

    def _task(self, chosen_by: Policy) -> Task:
        rng = generator(self._rng_state)
        start = self._hyperparameters if chosen_by is self._policy else {}
        return make_task(
            self.space, self._observations, [], chosen_by, self._campaign, rng, start, 1, None, self.encoder
        )


def _each(value: Any, n: int, what: str) -> list[Any]:
    if value is None or isinstance(value, Mapping | int | float):
        return [value] * n
    if len(value) != n:
        raise ObservationError(f"{len(value)} values of {what} were told for {n} designs; give one a design")
    return list(value)


def _named(records: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{r['name']} ({r['tests']} tests, {str(r['sha256'])[:12]})" for r in records) or "none"
