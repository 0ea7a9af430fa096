"""BoTorch's single-task Gaussian process as a surrogate, for comparison and for those who trust it."""

from __future__ import annotations

from typing import Any

import numpy as np

from toughopt.errors import ConfigError
from toughopt.optimizer.base import FloatArray, Hyperparameters, Prediction
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed


class BotorchSurrogate:
    """``SingleTaskGP`` with its own priors and standardised outcomes; needs ``pip install toughopt[botorch]``."""

    def __init__(self) -> None:
        try:
            import botorch
        except ImportError as error:
            raise ConfigError(
                "surrogate = 'botorch' needs BoTorch, which is not installed; pip install 'toughopt[botorch]'"
            ) from error
        self._version = str(botorch.__version__)
        self._model: Any = None

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> BotorchSurrogate:
        """Fitted to `data`; `start` is not used.

        Raises
        ------
        FitFailed
            If there is no observation, or BoTorch cannot fit.
        """
        import torch
        from botorch.exceptions.errors import ModelFittingError
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Standardize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        if not len(data):
            raise FitFailed("no observation has a value yet")
        torch.manual_seed(int(rng.integers(2**31)))
        x = torch.tensor(data.x, dtype=torch.double)
        y = torch.tensor(data.y, dtype=torch.double).unsqueeze(-1)
        model = SingleTaskGP(x, y, outcome_transform=Standardize(m=1))
        try:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        except (ModelFittingError, RuntimeError) as error:
            raise FitFailed(str(error)) from error
        found = BotorchSurrogate()
        found._model = model
        return found

    def predict(self, x: FloatArray) -> Prediction:
        """Mean and standard deviation without the noise of a test."""
        import torch

        with torch.no_grad():
            posterior = self._model.posterior(torch.tensor(x, dtype=torch.double))
            mean = posterior.mean.squeeze(-1).numpy()
            std = posterior.variance.clamp_min(1e-18).sqrt().squeeze(-1).numpy()
        return Prediction(mean, std, mean, std)

    def condition(self, x: FloatArray) -> BotorchSurrogate:
        """With the predictions at `x` as if they had been measured."""
        if not len(x):
            return self
        import torch

        where = torch.tensor(x, dtype=torch.double)
        value = torch.tensor(self.predict(x).mean, dtype=torch.double).unsqueeze(-1)
        found = BotorchSurrogate()
        found._model = self._model.condition_on_observations(where, value)
        return found

    def hyperparameters(self) -> dict[str, Any]:
        """The version, length scales and noise that it found."""
        kernel = getattr(self._model.covar_module, "base_kernel", self._model.covar_module)
        return {
            "botorch": self._version,
            "length_scales": np.ravel(kernel.lengthscale.detach().numpy()).tolist(),
            "noise": float(self._model.likelihood.noise.detach().mean()),
        }
