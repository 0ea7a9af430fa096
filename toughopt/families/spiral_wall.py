"""The wall of a part that is printed as one spiral line: what it weighs and how thick it is, as designed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toughopt.families.base import Design, Family


@dataclass(frozen=True, slots=True)
class SpiralWall:
    """What the family knows of the wall; the solid of such a design is only the envelope around which it runs."""

    mass_g: float
    thickness_mm: float

    def mass_in(self, family: Family, density_g_per_cm3: float) -> float:
        """Its mass in g in another material than the one that its family reckons with."""
        return self.mass_g * density_g_per_cm3 / float(family.fixed.get("density", density_g_per_cm3))


def spiral_wall(family: Family, design: Design) -> SpiralWall | None:
    """The wall of one design; None where it is printed as the solid that it is, or cannot be made."""
    (wall,) = spiral_walls(family, [design])
    return wall


def spiral_walls(family: Family, designs: Iterable[Design]) -> list[SpiralWall | None]:
    """The wall of each of many designs, as `spiral_wall` gives it.

    Needs the features `mass_g` and `minimum_feature_mm`: a family printed as a spiral that has them not is taken for
    one that does not know its wall.
    """
    rows = list(designs)
    known = {"mass_g", "minimum_feature_mm"} <= set(family.feature_names)
    if family.print_mode != "vase" or not known or not rows:
        return [None] * len(rows)
    columns = {p.name: np.array([row[p.name] for row in rows]) for p in family.parameters}
    table = family.features(columns)
    mass_g, thickness_mm = (table[:, family.feature_names.index(name)] for name in ("mass_g", "minimum_feature_mm"))
    return [
        SpiralWall(mass, thickness) if np.isfinite(mass) and np.isfinite(thickness) else None
        for mass, thickness in zip(mass_g.tolist(), thickness_mm.tolist(), strict=True)
    ]


def designed_mass_g(family: Family, design: Design, volume_mm3: float, density_g_per_cm3: float) -> float:
    """What a design weighs in a material: its solid, or the wall that is printed around it as a spiral.

    volume_mm3 : of the solid of this design
    """
    wall = spiral_wall(family, design)
    if wall is None:
        return volume_mm3 * density_g_per_cm3 / 1000.0
    return wall.mass_in(family, density_g_per_cm3)
