"""Run by an interpreter that has the package `gcs-shape`: designs in (JSON lines), what it makes of them out."""

from __future__ import annotations

import json
import sys

import gcs
import numpy as np

NAMES = (
    *("c4_base", "c8_base", "c4_top", "c8_top", "twist_linear", "twist_amplitude", "twist_cycles"),
    *("perimeter_ratio", "height", "mass", "thickness"),
)

STEPS = 31  # odd, for Simpson's rule


def answer(design: dict[str, float], mesh: bool) -> dict[str, object]:
    shape = gcs.GCS(**{name: design[name] for name in NAMES}, n_height_steps=STEPS)
    told: dict[str, object] = {"valid": bool(shape.valid)}
    if mesh and told["valid"]:
        rings = shape.vertices.reshape(STEPS, -1, 3)
        x, y = rings[..., 0], rings[..., 1]
        area = 0.5 * (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)
        weight = np.full(STEPS, 2.0)
        weight[1::2] = 4.0
        weight[[0, -1]] = 1.0
        told["volume"] = float((area * weight).sum() / weight.sum() * design["height"])
        told["height"] = float(np.ptp(rings[..., 2]))
        told["radii"] = {k: np.hypot(x[k, ::37], y[k, ::37]).tolist() for k in (0, 9, 15, 22, 30)}
    return told


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(answer(question["design"], question["mesh"])), flush=True)
