"""One decision: a pure function from what was known to the designs chosen, and the record that re-derives it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from toughopt._version import __version__
from toughopt.errors import ConfigError, InputError
from toughopt.optimizer.base import Constraint, Design, Features, Policy, Proposal, Task, Value
from toughopt.optimizer.designs import expected_designs, initial_designs
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.objectives import recorded_objectives
from toughopt.optimizer.observations import Observation, observations_sha256
from toughopt.optimizer.policies import older_settings, policy
from toughopt.optimizer.proposing import proposed
from toughopt.optimizer.replication import reconsidered
from toughopt.optimizer.space import Key, Space
from toughopt.optimizer.tasks import make_task
from toughopt.optimizer.transfer import Source
from toughopt.threads import one_thread

FORMAT = 1
_LATER = ("sources", "reasons")  # not in the records of older versions, which had none
CAMPAIGN_SETTINGS: Mapping[str, Any] = {"minimize": False, "initial": 0, "seed": 1, "objectives": ()}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen and all that made it, fit for a journal.

    designs : the chosen designs
    predicted_mean, predicted_std : of each, in the units of the objective; None where no model chose
    acquisition : value of the acquisition function of each, or None
    reason : why, in words
    reasons : why each, where that differs; empty where `reason` is that of all
    fallback : the policy that stood in for a model that could not be fitted, or None
    policy, settings, k, context, pending : as they were when it was made
    rng_before, rng_after : state of the random generator
    start_hyperparameters, fitted_hyperparameters : where the fit started and what it found
    observations_sha256, n_observations : of the observations that it saw, in their order
    sources : name, tests and sha256 of each earlier campaign that it drew on
    environment : versions of the software that may change a rounding
    """

    designs: tuple[dict[str, Value], ...]
    predicted_mean: tuple[float | None, ...]
    predicted_std: tuple[float | None, ...]
    acquisition: tuple[float | None, ...]
    reason: str
    fallback: str | None
    policy: str
    settings: Mapping[str, Any]
    k: int
    context: Mapping[str, Value] | None
    pending: tuple[Mapping[str, Value], ...]
    rng_before: Mapping[str, Any]
    rng_after: Mapping[str, Any]
    start_hyperparameters: Mapping[str, Any]
    fitted_hyperparameters: Mapping[str, Any]
    observations_sha256: str
    n_observations: int
    environment: Mapping[str, str]
    sources: tuple[Mapping[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON; `from_dict` reads it back."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {"format": FORMAT, **json.loads(json.dumps(found, default=dict))}

    def to_json(self) -> str:
        """One line of JSON; `from_json` reads it back."""
        return json.dumps(self.to_dict(), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Decision:
        """As `to_dict` wrote it; InputError where a part is missing or the format is a later one."""
        if not isinstance(record, Mapping) or "format" not in record:
            raise InputError(f"a {type(record).__name__} without a format is no decision as Decision.to_dict writes it")
        if record["format"] != FORMAT:
            raise InputError(f"decision format {record['format']!r} is not {FORMAT}; update toughopt to read it")
        try:
            values = {name: record[name] for name in cls.__slots__ if name not in _LATER}
        except KeyError as error:
            raise InputError(f"the decision record lacks {error}; it was not written by Decision.to_dict") from error
        values |= {name: record.get(name, ()) for name in _LATER}
        recorded = values["settings"]
        values["settings"] = {**older_settings(values["policy"], recorded), **recorded}
        for name in ("designs", "predicted_mean", "predicted_std", "acquisition", "pending", *_LATER):
            values[name] = tuple(values[name])
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Decision:
        """As `to_json` wrote it; InputError where it is not."""
        try:
            record = json.loads(text)
        except ValueError as error:
            raise InputError(f"the decision record is no JSON ({error}); hand it in whole") from error
        return cls.from_dict(record)


@one_thread()
def decide(
    space: Space,
    observations: Sequence[Observation],
    pending: Sequence[Design],
    policy_name: str,
    settings: Mapping[str, Any],
    rng_state: Mapping[str, Any],
    start_hyperparameters: Mapping[str, Any],
    k: int = 1,
    context: Design | None = None,
    *,
    features: Features | None = None,
    prior: Features | None = None,
    constraint: Constraint | None = None,
    sources: Sequence[Source] = (),
    known: Mapping[str, Features] | None = None,
    encoder: Encoder | None = None,
) -> Decision:
    """Choose `k` designs; the same arguments give the same designs on the same platform.

    Parameters
    ----------
    observations : in the order in which they were told
    pending : designs whose results are awaited
    settings : of the policy, and ``minimize``, ``initial`` (designs of a Latin hypercube before the model chooses),
        ``seed`` (of that hypercube and of model-free sequences) and, where there are several, ``objectives``, each as
        `Objective.record` tells it; the first is what `minimize` speaks of
    rng_state : as `generator_state` tells it
    start_hyperparameters : those that the decision before this one fitted, or empty
    features : callable from columns to (n, k), further inputs of the model
    prior : callable ``prior(designs: Mapping[str, ndarray]) -> ndarray (n,)``: a guess at the objective, in its units,
        that the data may overrule
    sources : earlier campaigns, in the order in which every decision of the campaign has them
    known : for each objective that needs no test a callable from columns to its values (n,)
    encoder : saves making it again; it must be of the same space, features, prior, sources and direction

    Raises
    ------
    UnknownName, ConfigError
        If there is no such policy or setting.
    SpaceError
        If nothing is left to propose.
    ExtensionError
        If a policy of another package fails, or answers with what its seam does not allow.
    """
    chosen_by = policy(policy_name, **{n: v for n, v in settings.items() if n not in CAMPAIGN_SETTINGS})
    campaign = {**CAMPAIGN_SETTINGS, **{n: v for n, v in settings.items() if n in CAMPAIGN_SETTINGS}}
    if constraint is not None:
        space = space.with_constraint(constraint)
    if encoder is None or constraint is not None:
        encoder = Encoder(space, features, prior, -1.0 if campaign["minimize"] else 1.0, sources)
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ConfigError(f"k = {k!r} designs cannot be asked for; ask for a whole number, at least 1")
    rng = generator(rng_state)
    objectives = recorded_objectives(campaign.pop("objectives"), known or {})
    if objectives:
        campaign["objectives"] = [o.record() for o in objectives]
    task = make_task(
        space,
        observations,
        pending,
        chosen_by,
        campaign,
        rng,
        start_hyperparameters,
        k,
        context,
        encoder,
        objectives,
    )
    proposal = _propose(task, chosen_by, int(campaign["initial"]), space)
    sign = encoder.sign
    return Decision(
        designs=tuple(proposal.designs),
        predicted_mean=tuple(None if m is None else sign * m for m in proposal.mean),
        predicted_std=tuple(proposal.std),
        acquisition=tuple(proposal.acquisition),
        reason=proposal.reason,
        fallback=proposal.fallback,
        policy=policy_name,
        settings={**chosen_by.settings, **campaign},
        k=k,
        context=None if context is None else dict(context),
        pending=tuple(dict(d) for d in pending),
        rng_before=dict(rng_state),
        rng_after=generator_state(rng),
        start_hyperparameters=dict(start_hyperparameters),
        fitted_hyperparameters=dict(proposal.hyperparameters),
        observations_sha256=observations_sha256(observations),
        n_observations=len(observations),
        environment=_environment(),
        sources=encoder.sources,
        reasons=tuple(proposal.reasons),
    )


def generator(state: Mapping[str, Any]) -> np.random.Generator:
    """A random generator in the given state; InputError where it is none."""
    try:
        bits = np.random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": int(state["state"]), "inc": int(state["inc"])},
            "has_uint32": int(state["has_uint32"]),
            "uinteger": int(state["uinteger"]),
        }
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{dict(state)} is no state of a PCG64 random generator") from error
    return np.random.Generator(bits)


def first_generator_state(seed: int) -> dict[str, Any]:
    """The state with which an `Optimizer` of this seed begins."""
    return generator_state(np.random.default_rng(seed))


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a PCG64 generator, its 128-bit numbers as decimal text, which every JSON reader keeps exact."""
    state: Any = rng.bit_generator.state
    return {
        "state": str(state["state"]["state"]),
        "inc": str(state["state"]["inc"]),
        "has_uint32": int(state["has_uint32"]),
        "uinteger": int(state["uinteger"]),
    }


def _propose(task: Task, chosen_by: Policy, initial: int, space: Space) -> Proposal:
    """The policy's proposal, with what is left of the initial designs before it."""
    if not chosen_by.needs_observations or task.made >= initial:
        return reconsidered(task, chosen_by, proposed(task, chosen_by))
    first, reason = _first_designs(task, initial, space)
    unknown: list[float | None] = [None] * len(first)
    head = Proposal(first, unknown, unknown, unknown, reason, task.start)
    if len(first) == task.k:
        return head
    encoded = task.encoder.encode_designs(first, task.context)
    rest = replace(
        task,
        k=task.k - len(first),
        pending=np.vstack([task.pending, encoded]),
        awaited=(*task.awaited, *first),
        taken=task.taken | {space.key(d) for d in first},
        made=task.made + len(first),
    )
    tail = reconsidered(rest, chosen_by, proposed(rest, chosen_by))
    if not first:
        return tail
    return Proposal(
        [*head.designs, *tail.designs],
        [*head.mean, *tail.mean],
        [*head.std, *tail.std],
        [*head.acquisition, *tail.acquisition],
        f"{len(first)}: {head.reason}; {len(tail.designs)}: {tail.reason}",
        tail.hyperparameters,
        tail.fallback,
        [*head.reason_of_each(), *tail.reason_of_each()],
    )


def _first_designs(task: Task, initial: int, space: Space) -> tuple[list[dict[str, Value]], str]:
    """What is left of the initial designs, and why those.

    With a simulation prior or earlier campaigns every other one, the very first among them, is what those think best;
    the rest fill the space, so that the model sees where they err.
    """
    known = task.taken | {space.key(d) for d in task.good}  # even where retests are wanted, the first designs are new
    filling = [d for d in initial_designs(space, initial, task.seed) if space.key(d) not in known]
    count = min(task.k, initial - task.made)
    if task.encoder.prior_column is None and not task.encoder.source_columns:
        return filling[:count], f"one of {initial} initial designs (Latin hypercube)"
    led = expected_designs(task, count)
    chosen: dict[Key, dict[str, Value]] = {}
    for turn in range(task.made, task.made + count):
        for design in (led + filling) if turn % 2 == 0 else (filling + led):
            if space.key(design) not in chosen:
                chosen[space.key(design)] = design
                break
    return list(
        chosen.values()
    ), f"one of {initial} initial designs (by turns what is thought best, and Latin hypercube)"


def _environment() -> dict[str, str]:
    import scipy

    return {
        "toughopt": __version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
