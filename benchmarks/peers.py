"""Named peers of `sample_efficiency.py`, each asked and told in its own way and with its own default settings.

Run by a Python that has them installed; none of them is needed to install or test the package.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-optimize",
    "botorch",
    "gpytorch",
    "torch",
    "optuna",
    "ax-platform",
)
POOL_PEERS = ("skopt_gp", "skopt_forest", "botorch_logei", "botorch_lognei")
BOX_PEERS = ("skopt_optimizer", "optuna_tpe", "ax")
PEERS = POOL_PEERS + BOX_PEERS


def versions() -> dict[str, str]:
    """Of those packages that are installed here."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


class PoolPeer:
    """Scores every untested design of a pool and takes the best.

    Parameters
    ----------
    x : (n, d) float, the pool in the unit cube; categories one-hot
    """

    def __init__(self, name: str, x: np.ndarray, seed: int) -> None:
        self.name, self.x, self.seed = name, x, seed
        self.rows: list[int] = []
        self.values: list[float] = []

    def tell(self, rows: Sequence[int], values: Sequence[float]) -> None:
        """Results of designs of the pool."""
        self.rows += rows
        self.values += values

    def ask(self) -> int:
        """Index of the design to test next."""
        free = np.setdiff1d(np.arange(len(self.x)), self.rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = self._sklearn(free) if self.name.startswith("skopt") else self._botorch(free)
        return int(free[int(np.argmax(scores))])

    def _sklearn(self, free: np.ndarray) -> np.ndarray:
        """scikit-optimize's regressors and its expected improvement, xi = 0.01, as `skopt.Optimizer` sets them up."""
        from skopt.acquisition import gaussian_ei
        from skopt.utils import cook_estimator

        space = [(0.0, 1.0)] * self.x.shape[1]
        kind = "GP" if self.name == "skopt_gp" else "ET"
        extra = {"noise": "gaussian", "n_restarts_optimizer": 2} if kind == "GP" else {}
        model = cook_estimator(kind, space=space, random_state=self.seed + len(self.rows), **extra)
        y = -np.array(self.values)
        model.fit(self.x[self.rows], y)
        return np.asarray(gaussian_ei(self.x[free], model, y_opt=y.min(), xi=0.01))

    def _botorch(self, free: np.ndarray) -> np.ndarray:
        """`SingleTaskGP` and LogEI or qLogNEI, all as BoTorch sets them up."""
        import torch
        from botorch.acquisition import LogExpectedImprovement, qLogNoisyExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        torch.manual_seed(self.seed + len(self.rows))
        x = torch.tensor(self.x[self.rows], dtype=torch.double)
        y = torch.tensor(self.values, dtype=torch.double).unsqueeze(-1)
        model = SingleTaskGP(x, y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        candidates = torch.tensor(self.x[free], dtype=torch.double).unsqueeze(1)
        score: Any
        if self.name == "botorch_logei":
            score = LogExpectedImprovement(model, best_f=y.max())
        else:
            score = qLogNoisyExpectedImprovement(model, X_baseline=x, prune_baseline=True)
        with torch.no_grad():
            return np.concatenate([score(part).numpy() for part in candidates.split(100)])


class BoxPeer:
    """An ask-and-tell optimizer over a box of real, integer and categorical parameters."""

    def __init__(self, name: str, spec: Mapping[str, Mapping[str, Any]], seed: int) -> None:
        self.name, self.spec = name, spec
        self._open: Any = None
        self._made: Any = getattr(self, f"_make_{name}")(seed)

    def ask(self) -> dict[str, Any]:
        """The design to test next."""
        design = getattr(self, f"_ask_{self.name}")()
        return {key: self._on_its_level(key, value) for key, value in design.items()}

    def tell(self, design: Mapping[str, Any], value: float, asked: bool) -> None:
        """A result; `asked` where it is that of the latest ask."""
        getattr(self, f"_tell_{self.name}")(dict(design), value, asked)

    def _on_its_level(self, name: str, value: Any) -> Any:
        entry = self.spec[name]
        if entry["type"] != "integer":
            return value if entry["type"] == "categorical" else float(value)
        step = entry.get("step", 1)
        return int(entry["low"] + step * round((int(value) - entry["low"]) / step))

    def _make_skopt_optimizer(self, seed: int) -> Any:
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real

        dimensions: list[Any] = []
        for name, entry in self.spec.items():
            if entry["type"] == "categorical":
                dimensions.append(Categorical(entry["values"], name=name))
            elif entry["type"] == "integer":
                dimensions.append(Integer(entry["low"], entry["high"], name=name))
            else:
                prior = "log-uniform" if entry.get("log") else "uniform"
                dimensions.append(Real(entry["low"], entry["high"], prior=prior, name=name))
        return Optimizer(dimensions, "GP", n_initial_points=0, random_state=seed)

    def _ask_skopt_optimizer(self) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(zip(self.spec, self._made.ask(), strict=True))

    def _tell_skopt_optimizer(self, design: dict[str, Any], value: float, asked: bool) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._made.tell([design[name] for name in self.spec], -value)

    def _make_optuna_tpe(self, seed: int) -> Any:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._distributions: dict[str, Any] = {}
        for name, entry in self.spec.items():
            if entry["type"] == "categorical":
                self._distributions[name] = optuna.distributions.CategoricalDistribution(entry["values"])
            elif entry["type"] == "integer":
                self._distributions[name] = optuna.distributions.IntDistribution(
                    entry["low"], entry["high"], step=entry.get("step", 1)
                )
            else:
                self._distributions[name] = optuna.distributions.FloatDistribution(
                    entry["low"], entry["high"], log=bool(entry.get("log"))
                )
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)
        return optuna.create_study(direction="maximize", sampler=sampler)

    def _ask_optuna_tpe(self) -> dict[str, Any]:
        self._open = self._made.ask(self._distributions)
        return dict(self._open.params)

    def _tell_optuna_tpe(self, design: dict[str, Any], value: float, asked: bool) -> None:
        import optuna

        if asked:
            self._made.tell(self._open, value)
            return
        trial = optuna.trial.create_trial(params=design, distributions=self._distributions, value=value)
        self._made.add_trial(trial)

    def _make_ax(self, seed: int) -> Any:
        import logging

        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        logging.getLogger("ax").setLevel(logging.ERROR)
        client = Client(random_seed=seed)
        parameters: list[Any] = []
        for name, entry in self.spec.items():
            if entry["type"] == "categorical":
                parameters.append(
                    ChoiceParameterConfig(name=name, values=entry["values"], parameter_type="str", is_ordered=False)
                )
            elif entry["type"] == "integer" and entry.get("step", 1) > 1:
                values = list(range(entry["low"], entry["high"] + 1, entry["step"]))
                parameters.append(
                    ChoiceParameterConfig(name=name, values=values, parameter_type="int", is_ordered=True)
                )
            else:
                kind, scaling = ("int", None) if entry["type"] == "integer" else ("float", "linear")
                scaling = "log" if entry.get("log") else scaling
                parameters.append(
                    RangeParameterConfig(
                        name=name, bounds=(entry["low"], entry["high"]), parameter_type=kind, scaling=scaling
                    )
                )
        client.configure_experiment(parameters=parameters)
        client.configure_optimization(objective="value")
        client.configure_generation_strategy(
            method="fast", initialization_budget=0, initialize_with_center=False, initialization_random_seed=seed
        )
        return client

    def _ask_ax(self) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._open, design = next(iter(self._made.get_next_trials(max_trials=1).items()))
        return {name: design[name] for name in self.spec}

    def _tell_ax(self, design: dict[str, Any], value: float, asked: bool) -> None:
        trial = self._open if asked else self._made.attach_trial(parameters=design)
        self._made.complete_trial(trial_index=trial, raw_data={"value": value})
