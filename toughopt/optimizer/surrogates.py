"""Surrogates by name, among them those of other packages: scikit-optimize's and BoTorch's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from toughopt.errors import ConfigError
from toughopt.optimizer.base import FloatArray, Hyperparameters, Prediction, Surrogate
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.fitting import GPSettings
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.likelihood import PRIORS
from toughopt.optimizer.local import LocalGaussianProcess, NeighbourGaussianProcess
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed

KINDS = ("gp", "local_gp", "forest", "skopt", "botorch")


def make_surrogate(settings: Mapping[str, Any], encoder: Encoder, n: int, *, bare: bool = False) -> Surrogate:
    """The surrogate named in a policy's settings, not fitted yet.

    Parameters
    ----------
    settings : of the policy
    encoder : tells which column holds a simulation prior
    n : observations to come; from ``exact_limit`` on a Gaussian process predicts from nearest neighbours
    bare : whether it is to see the encoder's `bare_columns` only

    Raises
    ------
    ConfigError
        If the name is unknown, or its package is not installed.
    """
    kind = str(settings["surrogate"])
    if kind == "forest":
        return SklearnSurrogate("forest")
    if kind == "skopt":
        return SklearnSurrogate("skopt")
    if kind == "botorch":
        from toughopt.optimizer.botorch_gp import BotorchSurrogate

        return BotorchSurrogate()
    gp = GPSettings(
        powers=tuple(settings["powers"]),
        noise=str(settings["noise"]),
        source_columns=() if bare else encoder.source_columns,
        slopes=float(settings["slopes"]),
        kernel=settings["kernel"],
        tied=bool(settings["tied"]),
        priors=PRIORS[settings["expect"]],
    )
    prior = None if bare else encoder.prior_column
    if kind == "local_gp":
        return LocalGaussianProcess(gp, prior)
    if kind == "gp":
        if n > int(settings["exact_limit"]):
            return NeighbourGaussianProcess(gp, prior)
        if n <= int(settings["ensemble_limit"]):
            return EnsembleGaussianProcess(gp, prior, int(settings["ensemble"]))
        return GaussianProcess(gp, prior)
    raise ConfigError(f"surrogate = {kind!r} is none of {', '.join(KINDS)}")


class SklearnSurrogate:
    """scikit-optimize's own regressors with its own settings: "forest" (extra trees) or "skopt" (Gaussian process)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._model: Any = None
        self._data: Table | None = None
        self._seed = 0

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> SklearnSurrogate:
        """Fitted to `data`; `start` is not used, these models begin anew each time.

        Raises
        ------
        FitFailed
            If there is no observation, or scikit-learn cannot fit.
        """
        return self._fitted(data, int(rng.integers(2**31)))

    def _fitted(self, data: Table, seed: int) -> SklearnSurrogate:
        import warnings

        from skopt.utils import cook_estimator

        if not len(data):
            raise FitFailed("no observation has a value yet")
        space = [(0.0, 1.0)] * data.x.shape[1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.kind == "forest":
                model = cook_estimator("ET", space=space, random_state=seed)
            else:
                model = cook_estimator("GP", space=space, random_state=seed, noise="gaussian", n_restarts_optimizer=2)
            try:
                model.fit(data.x, -data.y)
            except ValueError as error:
                raise FitFailed(str(error)) from error
        found = SklearnSurrogate(self.kind)
        found._model, found._data, found._seed = model, data, seed
        return found

    def predict(self, x: FloatArray) -> Prediction:
        """Mean and standard deviation as scikit-optimize computes them."""
        mean, std = self._model.predict(x, return_std=True)
        mean, std = -np.asarray(mean, dtype=float), np.maximum(np.asarray(std, dtype=float), 1e-12)
        return Prediction(mean, std, mean, std)

    def condition(self, x: FloatArray) -> SklearnSurrogate:
        """Fitted again with the predictions at `x` as if they had been measured."""
        if not len(x) or self._data is None:
            return self
        data, mean = self._data, self.predict(x).mean
        more = replace(
            data,
            x=np.vstack([data.x, x]),
            y=np.concatenate([data.y, mean]),
            noise_std=np.concatenate([data.noise_std, np.full(len(x), np.nan)]),
            censored=np.concatenate([data.censored, np.zeros(len(x), dtype=bool)]),
            group=np.concatenate([data.group, np.arange(len(x)) + data.group.max() + 1]),
        )
        return self._fitted(more, self._seed)

    def hyperparameters(self) -> dict[str, Any]:
        """The seed; and the kernel in words where there is one."""
        kernel = getattr(self._model, "kernel_", None)
        return {"seed": self._seed} | ({"kernel": str(kernel)} if kernel is not None else {})
