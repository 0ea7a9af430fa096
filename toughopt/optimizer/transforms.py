"""Monotone transforms of the objective under which a Gaussian process fits better: none, log, Box-Cox."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toughopt.optimizer.base import FloatArray

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_FAR = 12.0  # standardised values beyond this are never needed and would overflow a power


@dataclass(frozen=True, slots=True)
class Transform:
    """Box-Cox of the objective, then shifted and scaled to mean 0 and standard deviation 1.

    power : 1 leaves the objective linear, 0 is its logarithm
    sign : -1 where all values are negative (a positive objective that is minimised): then -BoxCox(-y)
    unit : the values are divided by it first, which keeps powers tame whatever the units
    shift, scale : standardisation after the power

    Notes
    -----
    Box and Cox, J. R. Stat. Soc. B 26, 211 (1964): (y^power - 1) / power, log y for power 0.
    """

    power: float
    sign: float
    unit: float
    shift: float
    scale: float

    @classmethod
    def of(cls, y: FloatArray, power: float) -> Transform:
        """The transform with this power for these values; a power other than 1 needs values of one sign."""
        sign = 1.0
        unit = float(np.median(np.abs(y))) or 1.0
        if power != 1.0:
            sign = 1.0 if (y > 0).all() else -1.0
        raw = _box_cox(y / unit, power, sign)
        scale = float(raw.std())
        if not scale > 1e-12 * max(1.0, float(np.abs(raw).max())):
            scale = 1.0
        return cls(power, sign, unit, float(raw.mean()), scale)

    def forward(self, y: FloatArray) -> FloatArray:
        """Objective to the latent scale."""
        return (_box_cox(y / self.unit, self.power, self.sign) - self.shift) / self.scale

    def inverse(self, z: FloatArray) -> FloatArray:
        """Latent scale to the objective."""
        raw = np.clip(z, -_FAR, _FAR) * self.scale + self.shift if self.power != 1.0 else z * self.scale + self.shift
        if self.power == 1.0:
            return np.asarray((raw + 1.0) * self.unit)
        if self.power == 0.0:
            return np.asarray(self.sign * np.exp(self.sign * raw) * self.unit)
        base = np.maximum(self.sign * raw * self.power + 1.0, 1e-12)
        return np.asarray(self.sign * base ** (1.0 / self.power) * self.unit)

    def slope(self, y: FloatArray) -> FloatArray:
        """d latent / d objective at y."""
        return np.asarray(np.abs(y / self.unit) ** (self.power - 1.0) / (self.unit * self.scale))

    def inverse_slope(self, z: FloatArray) -> FloatArray:
        """d objective / d latent at z."""
        if self.power == 1.0:
            return np.full_like(z, self.unit * self.scale)
        magnitude = np.abs(self.inverse(z) / self.unit)
        return np.asarray(magnitude ** (1.0 - self.power) * self.unit * self.scale)

    def log_jacobian(self, y: FloatArray) -> float:
        """Sum over the values of log |d latent / d objective|: likelihoods under two transforms compare with it."""
        return float(np.log(self.slope(y)).sum())

    def moments(self, mean: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the objective where the latent value is normal."""
        if self.power == 1.0:
            return self.inverse(mean), std * self.scale * self.unit
        values = self.inverse(mean[:, None] + std[:, None] * _NODES)
        first = values @ _WEIGHTS
        second = (values - first[:, None]) ** 2 @ _WEIGHTS
        return first, np.sqrt(np.maximum(second, 0.0))


def possible_powers(y: FloatArray, powers: tuple[float, ...]) -> tuple[float, ...]:
    """Those of `powers` that these values allow: all if they are of one sign, else only 1."""
    if len(y) < 3 or np.ptp(y) <= 0 or not ((y > 0).all() or (y < 0).all()):
        return (1.0,)
    return powers


def _box_cox(u: FloatArray, power: float, sign: float) -> FloatArray:
    if power == 1.0:
        return u - 1.0
    if power == 0.0:
        return np.asarray(sign * np.log(sign * u))
    return np.asarray(sign * ((sign * u) ** power - 1.0) / power)
