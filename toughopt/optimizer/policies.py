"""The named policies: which surrogate, which acquisition, which settings; third parties add theirs as entry points."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, UnknownName
from toughopt.extensions import made_by, named, said
from toughopt.optimizer.base import Policy
from toughopt.optimizer.kernels import KERNELS
from toughopt.optimizer.likelihood import PRIORS
from toughopt.optimizer.modelbased import REASONS, ModelPolicy
from toughopt.optimizer.modelfree import SequencePolicy
from toughopt.optimizer.multi import SETTINGS as MULTI
from toughopt.optimizer.multi import HypervolumePolicy
from toughopt.optimizer.replication import CHOICES as REPLICATION
from toughopt.optimizer.surrogates import KINDS

if TYPE_CHECKING:
    from toughopt.optimizer.space import Space

_ENTRY_POINTS = "toughopt.policies"

# Settings of every policy with a model; a policy's own row in _MODELS goes on top.
COMMON: Mapping[str, Any] = {
    "surrogate": "gp",
    "acquisition": "log_ei",
    "incumbent": "mean",  # the best posterior mean of a tested design; "observed": the best test
    "powers": (1.0, 0.5, 0.0),  # Box-Cox powers among which the likelihood chooses
    "kernel": "matern52",  # or "squared_exponential"
    "tied": False,  # whether all inputs share one length scale
    "expect": "rough",  # of a landscape, before it is known: hills and noise; or "rugged", shorter hills; or "smooth"
    "slopes": 1.0,  # standard deviation of a linear trend, in that of the data, where one is likely; 0: never
    "noise": "equal",  # or "trend": its logarithm linear in the predicted value
    "candidates": 1024,  # sampled where the space is neither a pool nor small
    "apart": 0.05,  # of a box: how far from tested designs one is new, as root mean square over its parameters' ranges
    "refine": False,  # whether the best of them are improved step by step: the very top is too often a far corner
    "retest": False,  # whether a tested design may be proposed again: it is when its own score is the best there is
    "replicate": "never",  # or "gain": whenever another test of a tested design is worth more than the new design
    "xi": 0.0,  # improvement asked for, in standard deviations of the data
    "beta": 2.0,  # standard deviations that an upper confidence bound adds
    "printability": 0.5,  # probability of printing and testing properly below which a design is shunned
    "ensemble": 6,  # Gaussian processes of different hyperparameters that are averaged ...
    "ensemble_limit": 0,  # ... up to so many tests; beyond, the hyperparameters are known well enough
    "improvement": "latent",  # scale on which improvement is measured; "objective": in the objective's units
    "exact_limit": 1500,  # tests up to which the Gaussian process is exact
}

# What held for settings that a decision's record does not name, because there was no such setting yet.
_UNNAMED: Mapping[str, Any] = {"expect": "smooth", "slopes": 0.0, "refine": True, "replicate": "never", "apart": 0.0}

_MODELS: Mapping[str, Mapping[str, Any]] = {
    "default": {"acquisition": "ucb", "beta": 1.0, "powers": (1.0,)},
    "ei": {"acquisition": "ei", "powers": (1.0,), "incumbent": "observed"},
    "log_ei": {"powers": (1.0,)},
    "noisy_ei": {"acquisition": "noisy_ei", "powers": (1.0,)},
    "ucb": {"acquisition": "ucb", "powers": (1.0,)},
    "pi": {"acquisition": "pi", "powers": (1.0,)},
    "max_variance": {"acquisition": "max_variance", "powers": (1.0,)},
    "thompson": {"acquisition": "thompson", "powers": (1.0,)},
    "knowledge_gradient": {"acquisition": "knowledge_gradient", "powers": (1.0,), "retest": True},
    "bear2020": {
        "acquisition": "ei",
        "apart": 0.0,
        "powers": (1.0,),
        "incumbent": "observed",
        "retest": True,
        "kernel": "squared_exponential",
        "tied": True,
        "slopes": 0.0,
    },
    "mamabear": {
        "acquisition": "ei",
        "apart": 0.0,
        "surrogate": "local_gp",
        "powers": (1.0,),
        "incumbent": "observed",
        "kernel": "squared_exponential",
        "slopes": 0.0,
    },
    "skopt": {"acquisition": "ei", "surrogate": "skopt", "incumbent": "observed", "apart": 0.0},
    "forest": {"acquisition": "ei", "surrogate": "forest", "incumbent": "observed"},
    "botorch": {"acquisition": "log_ei", "surrogate": "botorch", "incumbent": "observed", "apart": 0.0},
}
# What differs where any design of a box may be tested, not only those of a pool: there a search that goes on beside the
# best tests never runs out of designs, and has to look farther by itself.
IN_A_BOX: Mapping[str, Mapping[str, Any]] = {"default": {"expect": "rugged", "beta": 1.5}}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "surrogate": KINDS,
    "acquisition": tuple(REASONS),
    "incumbent": ("mean", "observed"),
    "expect": tuple(PRIORS),
    "kernel": KERNELS,
    "noise": ("equal", "trend"),
    "replicate": REPLICATION,
    "improvement": ("latent", "objective"),
}
_SEQUENCES = ("random", "grid", "lhs", "sobol")
_MEANINGS: Mapping[str, str] = {
    "default": "the one that measured best: largest upper confidence bound, one standard deviation above the mean "
    "(one and a half in a box)",
    "ei": "expected improvement over the best test",
    "log_ei": "expected improvement over the best predicted tested design, by its logarithm",
    "noisy_ei": "expected improvement over an incumbent that is itself uncertain",
    "ucb": "upper confidence bound, two standard deviations above the mean",
    "pi": "probability of improvement",
    "max_variance": "where the model knows least: to map a landscape, not to climb it",
    "thompson": "the best design of one draw from the model; for many printers at once",
    "knowledge_gradient": "the test that promises to raise the best prediction most; repeats tested designs",
    "bear2020": "as Gongora et al. 2020: expected improvement on a squared exponential with one length scale",
    "mamabear": "as Snapp et al. 2024: expected improvement on local models, printability learned",
    "skopt": "scikit-optimize's Gaussian process, for comparison",
    "forest": "scikit-optimize's extra trees, for rugged or categorical spaces",
    "botorch": "BoTorch's Gaussian process, where it is installed",
    "ehvi": "several objectives: expected gain of the hypervolume under the Pareto front",
    "random": "any design",
    "grid": "level by level through a grid",
    "lhs": "Latin hypercubes, one after the other",
    "sobol": "a Sobol sequence",
}

SHIPPED = (*_MODELS, "ehvi", *_SEQUENCES)


def policy(name: str, **settings: Any) -> Policy:
    """The policy of that name.

    Parameters
    ----------
    name : one of `available_policies`
    settings : what differs from its defaults

    Raises
    ------
    UnknownName
        If nothing answers to the name.
    ConfigError
        If it has no such setting, or not of this kind, or another package's policy is none.
    """
    if name in _SEQUENCES:
        if unknown := sorted(set(settings) - {"retest"}):
            raise ConfigError(f"policy {name!r} has no setting {unknown[0]!r}; it has retest")
        return SequencePolicy(name, bool(settings.get("retest", False)))
    if name in _MODELS:
        return ModelPolicy(name, _checked(name, {**COMMON, **_MODELS[name]}, settings))
    if name == "ehvi":
        defaults = {key: COMMON[key] for key in MULTI} | {"powers": (1.0,)}
        return HypervolumePolicy(name, _checked(name, defaults, settings))
    entry = named("policy", name, _third_party())
    if entry is None:
        raise UnknownName("policy", name, available_policies())
    return _of_another_package(entry, settings)


def available_policies() -> tuple[str, ...]:
    """Names that `policy` answers to, those of other packages included."""
    return tuple(dict.fromkeys([*SHIPPED, *(entry.name for entry in _third_party())]))


def meaning(name: str) -> str:
    """What the policy of that name does, in a few words; of another package's, the first line of its documentation."""
    return _MEANINGS.get(name) or (type(policy(name)).__doc__ or "").strip().partition("\n")[0]


def box_settings(name: str, space: Space) -> Mapping[str, Any]:
    """Those settings of the policy of that name that are others in `space`, where it is a box, than in a pool."""
    return {} if space.pool is not None else IN_A_BOX.get(name, {})


def unusual_settings(name: str) -> dict[str, Any]:
    """Those settings of the policy of that name that differ from what is common."""
    return {key: value for key, value in policy(name).settings.items() if key in COMMON and COMMON[key] != value}


def older_settings(name: str, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What held for settings of policy `name` of which a decision of an older version says nothing, or what pools have.

    Older versions had the same settings in a box as in a pool.
    """
    if name not in _MODELS and name != "ehvi":
        return {}
    known = COMMON if name in _MODELS else MULTI
    unnamed = {key: value for key, value in _UNNAMED.items() if key in known and key not in recorded}
    in_pools = {**COMMON, **_MODELS.get(name, {})}
    as_in_a_pool = {key: recorded[key] for key in IN_A_BOX.get(name, {}) if recorded.get(key) == in_pools[key]}
    return {**unnamed, **as_in_a_pool}


def _checked(name: str, defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(defaults)
    for key, value in settings.items():
        if key not in defaults:
            raise ConfigError(f"policy {name!r} has no setting {key!r}; it has {', '.join(sorted(defaults))}")
        wanted = defaults[key]
        if isinstance(wanted, tuple):
            value = tuple(float(v) for v in value)
        elif isinstance(wanted, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(wanted):
            raise ConfigError(
                f"policy {name!r}: {key} = {value!r} must be of type {type(wanted).__name__}, as its default {wanted!r}"
            )
        if value not in _CHOICES.get(key, (value,)):
            raise ConfigError(f"policy {name!r}: {key} = {value!r} is none of {', '.join(_CHOICES[key])}")
        found[key] = value
    return found


def _of_another_package(entry: Any, settings: Mapping[str, Any]) -> Policy:
    made: Policy = made_by("policy", entry, Policy, **settings)
    try:
        json.dumps(dict(made.settings))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{said('policy', entry)}: its settings cannot be written as JSON: {error}") from error
    if made.name != entry.name and made.name not in available_policies():
        raise ConfigError(
            f"{said('policy', entry)} calls itself {made.name!r}; decisions are derived again by that name, so give it "
            "the name of its entry point"
        )
    return made


def _third_party() -> list[Any]:
    from importlib.metadata import entry_points

    return list(entry_points(group=_ENTRY_POINTS))
