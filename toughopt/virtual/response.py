"""From the structure that was found to the response of the part: struts, plain walls, gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from toughopt.virtual.mechanics import PUBLISHED, Response, StrutConstants, strut_response
from toughopt.virtual.struts import longest_gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.virtual.anatomy import Structure
    from toughopt.virtual.sections import Sections
    from toughopt.virtual.struts import Struts

    Floats = NDArray[np.float64]

WALL_KNOCKDOWN = 0.36  # 0.6 for a perfect cylinder times 0.6 for imperfections (Timoshenko & Gere, ch. 11)
SETTLED_HEIGHT = 0.25  # mm that a strand laid over a missing layer still bridges at half strength
UNBONDED = 0.4  # strength of struts that stand on each other without being bonded; a choice, not a measurement
SLIP_STRAIN = 0.08  # by then the ends of such struts have slipped off each other; a choice, too
NO_BOND_C, FULL_BOND_C = 155.0, 190.0  # PLA melts at 150 to 160 deg C; bonds between layers suffer below 190
POOR = 0.8  # share of the usual material below which a layer, and not the pattern of crossings, is the weakest


def respond(found: Structure, constants: StrutConstants = PUBLISHED) -> tuple[Response, float]:
    """Response of a part that has any material, and the height in mm that must close before it carries its load."""
    if found.struts is not None:
        response = _of_struts(found.struts, constants)
        gap, poorest, coldest = found.struts.gap_mm, found.struts.poorest, found.struts.coldest_c
    else:
        response = _of_walls(found.sections, constants)
        gap, poorest, coldest = _gap(found.sections), 1.0, float(np.nanmin(found.sections.nozzle_c))
    if gap > 0.0:
        bonded = 1.0 / (1.0 + (gap / SETTLED_HEIGHT) ** 2)
        gap *= 1.0 - bonded
    else:
        bonded = 1.0
    bonded *= float(np.clip((coldest - NO_BOND_C) / (FULL_BOND_C - NO_BOND_C), 0.05, 1.0))
    share = (UNBONDED + (1.0 - UNBONDED) * bonded) * (poorest if poorest < POOR else 1.0)
    if share >= 1.0:
        return response, gap
    weaker = replace(
        response,
        yield_force_n=response.yield_force_n * share,
        compliance_mm_per_n=response.compliance_mm_per_n / (bonded + (1.0 - bonded) * UNBONDED),
        brittle_strain=_slipping(response.brittle_strain, bonded),
        ductile_strain=_slipping(response.ductile_strain, bonded),
    )
    return weaker, gap


def _slipping(strain: Floats, bonded: float) -> Floats:
    return np.asarray(bonded * strain + (1.0 - bonded) * np.minimum(strain, 0.5 * SLIP_STRAIN))


def _of_struts(struts: Struts, constants: StrutConstants) -> Response:
    return strut_response(
        struts.count,
        struts.twist_rad,
        struts.radius_mm,
        struts.area_mm2,
        struts.length_mm,
        struts.ring_mm,
        struts.crossings,
        constants,
    )


def _of_walls(sections: Sections, constants: StrutConstants) -> Response:
    """A crude model of any other part: its poorest section yields or its thin wall buckles, then it fills up.

    The critical stress of a wall w at radius R is `WALL_KNOCKDOWN` E w / R (cylindrical shells), joined to the yield
    stress by a quadratic mean; the plateau and the densification strain 1 - 1.4 rho follow from the relative density
    rho (Gibson & Ashby, Cellular Solids, 2nd ed., ch. 5).
    """
    usual = float(np.median(sections.area_mm2[sections.area_mm2 > 0]))
    holds = sections.area_mm2 > 0.5 * usual
    area, wall, reach = (v[holds] for v in (sections.area_mm2, sections.wall_mm, sections.reach_mm))
    modulus, strength = constants.modulus_mpa, constants.yield_mpa
    critical = WALL_KNOCKDOWN * modulus * wall / np.maximum(reach, wall)
    stress = strength / np.sqrt(1.0 + (strength / critical) ** 2)
    yield_force = float(np.min(stress * area))
    height = sections.part_height_mm
    density = float(np.clip(sections.volume_mm3 / (np.pi * np.max(reach) ** 2 * height), 0.01, 0.98))
    dense_strain = max(1.0 - 1.4 * density, 0.12)
    fields = {
        "length_mm": height,
        "yield_force_n": yield_force,
        "compliance_mm_per_n": float(np.sum(sections.height_mm[holds] / area)) / modulus,
        "brittle_strain": 0.0,
        "ductile_strain": 2.0 * dense_strain,
        "margin": 1.0,
        "steepness": 8.0,
        "plateau_drop": float(np.clip(0.7 * (1.0 - density / 0.5), 0.0, 0.7)),
        "plateau_strain": 0.05,
        "hardening": 1.0 + 2.0 * density,
        "dense_force_n": yield_force,
        "dense_strain": dense_strain,
        "dense_power": 5.0,
    }
    return Response(**{name: np.asarray(value, dtype=np.float64) for name, value in fields.items()})


def _gap(sections: Sections) -> float:
    area = sections.area_mm2
    near = np.array([np.median(area[max(i - 6, 0) : i + 7]) for i in range(len(area))])
    return longest_gap(area < 0.5 * near, sections.height_mm)[0]
