"""How a Gaussian process is fitted: its settings, and which tests and transforms the search looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toughopt.optimizer.kernels import Kernel
from toughopt.optimizer.likelihood import Priors
from toughopt.optimizer.observations import Table

Form = tuple[float, float]  # a model's power of the transform and standard deviation of its linear trend


@dataclass(frozen=True, slots=True)
class GPSettings:
    """How a Gaussian process is fitted.

    powers : Box-Cox powers among which the likelihood chooses; (1,) for no transform
    noise : "equal", or "trend" where its logarithm is linear in the predicted value
    fit_points : hyperparameters are fitted to at most so many tests; all of them make the posterior
    iterations : L-BFGS-B iterations of a warm start; the first fit has twice as many
    prior_weight_sd : standard deviation of the weight of the simulation prior about 1
    prior_as_input : whether the simulation prior is an input of the kernel as well
    source_columns : columns of x that hold the standardised beliefs of earlier campaigns
    source_weight : mean and standard deviation of the weight of each of them
    slopes : standard deviation of a linear trend over all inputs, where the likelihood chooses one; 0 for none
    kernel : "matern52" or "squared_exponential"
    tied : whether all inputs share one length scale
    """

    powers: tuple[float, ...] = (1.0, 0.5, 0.0)
    noise: str = "equal"
    fit_points: int = 300
    iterations: int = 20
    prior_weight_sd: float = 0.5
    prior_as_input: bool = True
    source_columns: tuple[int, ...] = ()
    source_weight: tuple[float, float] = (0.5, 0.5)
    slopes: float = 0.0
    kernel: Kernel = "matern52"
    tied: bool = False
    priors: Priors = field(default_factory=Priors)


def still_likely(forms: tuple[Form, ...], warm: Mapping[Form, Mapping[str, Any]]) -> tuple[Form, ...]:
    """Those forms that the fit before did not find far less likely than the best."""
    if any(form not in warm for form in forms):
        return forms
    lowest = min(float(warm[form]["cost"]) for form in forms)
    return tuple(form for form in forms if float(warm[form]["cost"]) - lowest < 3.0)


def most_telling(data: Table, limit: int, rng: np.random.Generator) -> Any:
    """Rows to fit hyperparameters to: all, or half the best and half a random choice of the rest, in order."""
    n = len(data)
    if n <= limit:
        return np.arange(n)
    order = np.argsort(-data.y, kind="stable")
    best, rest = order[: limit // 2], order[limit // 2 :]
    return np.sort(np.concatenate([best, rng.choice(rest, limit - len(best), replace=False)]))
