"""What textbooks expect of a crossed barrel: constants and formulae from the literature alone, fitted to nothing here.

Printed PLA: yield 60 MPa and modulus 2.9 GPa in compression, the middle of what Song et al., Materials & Design 123,
154 (2017) and the data sheet of NatureWorks 4043D tell; elongation at break 6 % (the latter). Struts are beams fixed
where they cross: axial force and bending of a leaning beam with guided ends (Timoshenko and Gere, Theory of Elastic
Stability, 1961), buckling by Johnson's parabola and Euler's formula with half the free length. Beyond yield the force
stays as it is until the part is dense, at a strain of 1 - 1.4 times its relative density (Gibson and Ashby, Cellular
Solids, 1997); a strut that Euler's formula governs breaks at the elongation at break.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

YIELD_MPA, MODULUS_MPA, ELONGATION_AT_BREAK = 60.0, 2900.0, 0.06
HEIGHT_MM, RING_MM, FORCE_LIMIT_N = 18.0, 10.0, 5000.0


def textbook_toughness(columns: Mapping[str, Any]) -> np.ndarray:
    """(m,) J up to the force limit; columns n, theta in degrees, r and t in mm, as in the published table."""
    n, theta, r, t = (np.asarray(columns[name], dtype=float) for name in ("n", "theta", "r", "t"))
    twist = np.radians(theta) * HEIGHT_MM / (HEIGHT_MM + 2.0)
    bore = np.maximum(r - t, 0.0)
    area, inertia = np.pi * (r**2 - bore**2), np.pi / 4.0 * (r**4 - bore**4)
    lean = np.arctan(RING_MM * twist / HEIGHT_MM)
    along = HEIGHT_MM / np.cos(lean)
    free = along / (1.0 + n * twist / (2.0 * np.pi))  # between crossings
    slenderness = 0.5 * free / np.sqrt(inertia / area)
    border = np.sqrt(2.0 * np.pi**2 * MODULUS_MPA / YIELD_MPA)
    johnson = YIELD_MPA * (1.0 - 0.5 * (slenderness / border) ** 2)
    euler = np.pi**2 * MODULUS_MPA / np.maximum(slenderness, 1e-9) ** 2
    stress = np.where(slenderness < border, johnson, euler)
    at_yield = n * stress / (np.cos(lean) / area + np.sin(lean) * free * r / (2.0 * inertia))
    bending = np.sin(lean) ** 2 * along * free**2 / (12.0 * MODULUS_MPA * inertia)
    compliance = (np.cos(lean) ** 2 * along / (MODULUS_MPA * area) + bending) / n
    density = n * area / np.cos(lean) / (np.pi * (RING_MM + r) ** 2)
    dense = np.maximum(1.0 - 1.4 * density, 0.0) * HEIGHT_MM
    broken = np.where(slenderness < border, dense, ELONGATION_AT_BREAK * HEIGHT_MM)
    top = np.minimum(at_yield, FORCE_LIMIT_N)
    elastic = 0.5 * compliance * top**2
    plastic = np.where(at_yield < FORCE_LIMIT_N, at_yield * np.maximum(broken - compliance * at_yield, 0.0), 0.0)
    return np.asarray((elastic + plastic) / 1000.0)
