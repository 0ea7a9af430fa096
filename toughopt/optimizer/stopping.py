"""When a campaign has done enough: rules that each say why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

from toughopt.errors import ConfigError

if TYPE_CHECKING:
    from toughopt.optimizer.optimizer import Optimizer

_NOT_NEGATIVE = ("budget", "hours", "smallest_gain", "interval")


@dataclass(frozen=True, slots=True)
class Stop:
    """A rule that says that it is time: its name, and the reason in words."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """Rules, all optional; the first of them that holds, in this order, stops the campaign.

    budget : tests, failed ones included
    hours : time since the start; the caller has the clock
    target : value of the objective that the best design must reach
    target_confidence : probability with which its true mean must have reached it
    smallest_gain : expected gain of the most promising next test, in the units of the objective, below which a test
        costs more than it is worth
    interval : width of the 95 % interval of the best design's mean that is narrow enough, in the units of the objective
    fewest : tests before `target`, `smallest_gain` and `interval` are looked at
    """

    budget: int | None = None
    hours: float | None = None
    target: float | None = None
    target_confidence: float = 0.95
    smallest_gain: float | None = None
    interval: float | None = None
    fewest: int = 10

    def __post_init__(self) -> None:
        for name in ("budget", "hours", "target", "target_confidence", "smallest_gain", "interval"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool | str) or not isinstance(value, Real) or math.isnan(value):
                raise ConfigError(f"stopping rule {name} = {value!r} is not a number")
            if name in _NOT_NEGATIVE and value < 0:
                raise ConfigError(f"stopping rule {name} = {value} must not be negative")
        if not 0.0 < self.target_confidence < 1.0:
            raise ConfigError(f"target_confidence = {self.target_confidence} must be between 0 and 1")

    def check(self, optimizer: Optimizer, *, hours: float = 0.0) -> Stop | None:
        """The rule that holds now, or None.

        Parameters
        ----------
        optimizer : with all that was told
        hours : passed since the start
        """
        tests = len(optimizer.observations)
        if self.budget is not None and tests >= self.budget:
            return Stop("budget", f"{tests} tests were done, of {self.budget} allowed")
        if self.hours is not None and hours >= self.hours:
            return Stop("hours", f"{hours:.1f} h have passed, of {self.hours:g} h allowed")
        if tests < self.fewest or all(o.failed for o in optimizer.observations):
            return None
        return self._target(optimizer) or self._interval(optimizer) or self._gain(optimizer)

    def _target(self, optimizer: Optimizer) -> Stop | None:
        if self.target is None:
            return None
        from scipy.special import ndtr

        best = optimizer.recommend()
        sign = -1.0 if optimizer.minimize else 1.0
        sure = float(ndtr(sign * (best.mean - self.target) / max(best.std, 1e-300)))
        if not sure >= self.target_confidence:  # without a model nobody knows how sure it is
            return None
        return Stop(
            "target",
            f"the best design reaches {self.target:g} with probability {sure:.3f} "
            f"({self.target_confidence:g} was asked for)",
        )

    def _interval(self, optimizer: Optimizer) -> Stop | None:
        if self.interval is None:
            return None
        low, high = optimizer.recommend().interval
        if not high - low <= self.interval:
            return None
        return Stop(
            "interval", f"the best design's mean is known to within {high - low:.3g}, {self.interval:g} is enough"
        )

    def _gain(self, optimizer: Optimizer) -> Stop | None:
        if self.smallest_gain is None:
            return None
        gain = optimizer.expected_gain()
        if gain >= self.smallest_gain:
            return None
        return Stop("gain", f"the most promising test is expected to gain {gain:.3g}, less than {self.smallest_gain:g}")
