"""A family from a plain function: a hollow cylinder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from manifold3d import Manifold

from toughopt.families import Fault, Parameter, family_from_function
from toughopt.geometry import Solid

_THICKEST = 0.5  # share of the radius that the wall may take


def _tube(design: Mapping[str, Any]) -> Solid:
    height, r, t = (float(design[name]) for name in ("height", "r", "t"))
    outer = Manifold.cylinder(height, r, circular_segments=128)
    return Solid(outer - Manifold.cylinder(height, r - t, circular_segments=128))


def _faults(columns: Mapping[str, Any]) -> Iterable[Fault]:
    r, t = np.asarray(columns["r"]), np.asarray(columns["t"])
    yield Fault(
        t > _THICKEST * r,
        lambda d: f"a wall of {d['t']:g} mm is more than half of the radius of {d['r']:g} mm; take a thinner one",
    )


Tube = family_from_function(
    _tube,
    name="tube",
    chosen=[
        Parameter("r", "real", 3.0, 15.0, default=8.0, unit="mm", description="outer radius"),
        Parameter("t", "real", 0.8, 3.0, default=1.2, unit="mm", description="wall"),
    ],
    settled=[Parameter("height", "real", 5.0, 50.0, default=15.0, unit="mm")],
    features={"slenderness": lambda columns: np.asarray(columns["r"]) / np.asarray(columns["t"])},
    faults=_faults,
)
