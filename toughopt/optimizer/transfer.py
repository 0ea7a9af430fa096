"""Earlier campaigns as sources: each is modelled once; its belief enters the new mean with a weight that is learned."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import Design, FloatArray, Value
from toughopt.optimizer.observations import as_number

_FEWEST = 3  # tests without which a source says nothing
_MOST = 1500  # tests of a source that are looked at: the better half of them, and a random half of the rest
_CLIP = 4.0  # standard deviations of a source beyond which its belief is not followed


@dataclass(frozen=True)
class Source:
    """Results of an earlier campaign: another material, another printer, a coarser test.

    Parameters
    ----------
    name : what people call it
    designs : of the present space's parameters; numbers may lie outside its bounds
    values : (n,) of what was measured, better in the same direction as the present objective; its unit and scale do
        not matter

    Raises
    ------
    ObservationError
        If the numbers of designs and values differ, there are fewer than three, or a value is no finite number.

    Notes
    -----
    A source is a Gaussian process of its own. Its standardised mean m(x) enters the new one's prior mean as w m(x), and
    the weight w is integrated out: the autoregressive model of Kennedy and O'Hagan, Biometrika 87, 1 (2000). The new
    campaign's own tests decide what w is, so that a source that misleads loses its weight, or has it turned round,
    within a few tests.
    """

    name: str
    designs: Sequence[Design]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.designs) != len(self.values):
            raise ObservationError(
                f"source {self.name!r} has {len(self.designs)} designs and {len(self.values)} values; give one each"
            )
        if len(self.values) < _FEWEST:
            raise ObservationError(
                f"source {self.name!r} has {len(self.values)} tests; leave it out, or give at least {_FEWEST}"
            )
        for design, value in zip(self.designs, self.values, strict=True):
            number = as_number(value)
            if number is None or not math.isfinite(number):
                raise ObservationError(
                    f"source {self.name!r}: the value {value} of {dict(design)} is not a finite number; leave it out"
                )

    @property
    def sha256(self) -> str:
        """Hash of its designs and values in their order."""
        encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
        rows = (encode([dict(d), float(v)]) + "\n" for d, v in zip(self.designs, self.values, strict=True))
        return hashlib.sha256("".join(rows).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """What a decision says of it: name, number of tests, hash."""
        return {"name": self.name, "tests": len(self.values), "sha256": self.sha256}


def source_mean(name: str, x: FloatArray, values: Sequence[float], sign: float) -> Callable[[FloatArray], FloatArray]:
    """A source's belief as a function from encoded designs (m, d) to standardised means (m,), larger better.

    Parameters
    ----------
    name : of the source
    x : (n, d) float, its encoded designs
    values : (n,) what was measured
    sign : -1 where the objective is minimised

    Raises
    ------
    ObservationError
        If no model fits it.
    """
    from toughopt.optimizer.fitting import GPSettings, most_telling
    from toughopt.optimizer.gp import GaussianProcess
    from toughopt.optimizer.likelihood import PRIORS
    from toughopt.optimizer.observations import Table
    from toughopt.optimizer.posterior import FitFailed

    y = sign * np.asarray(values, dtype=float)
    n = len(y)
    _, group = np.unique(x, axis=0, return_inverse=True)
    table = Table(x, y, np.full(n, np.nan), np.zeros(n, dtype=bool), np.asarray(group, dtype=np.int64).reshape(-1))
    rng = np.random.default_rng(0)
    try:
        # the same for ever: decisions that drew on a source do not record how it was modelled
        model = GaussianProcess(GPSettings(priors=PRIORS["smooth"])).fit(
            table.take(most_telling(table, _MOST, rng)), {}, rng
        )
    except FitFailed as error:
        raise ObservationError(f"source {name!r} cannot be modelled ({error}); leave it out") from error

    def mean(rows: FloatArray) -> FloatArray:
        return np.clip(model.predict(rows).latent_mean, -_CLIP, _CLIP)

    return mean


def checked_designs(
    source: Source, names: Sequence[str], categories: Mapping[str, Sequence[Value]]
) -> list[dict[str, Value]]:
    """Its designs with the present parameters only.

    Raises
    ------
    ObservationError
        If a design lacks a parameter, has a category that the present space does not know, or what is no finite number.
    """
    found = []
    for design in source.designs:
        if missing := [name for name in names if name not in design]:
            raise ObservationError(
                f"source {source.name!r}: design {dict(design)} lacks {missing[0]!r}; the parameters are "
                f"{', '.join(names)}"
            )
        for name, known in categories.items():
            if design[name] not in known:
                raise ObservationError(
                    f"source {source.name!r}: {name} = {design[name]!r} is none of {', '.join(map(str, known))}; "
                    "leave out the tests that the present space cannot describe"
                )
        for name in names:
            number = as_number(design[name])
            if name not in categories and (number is None or not math.isfinite(number)):
                raise ObservationError(f"source {source.name!r}: {name} = {design[name]!r} is not a finite number")
        found.append({name: design[name] for name in names})
    return found


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
