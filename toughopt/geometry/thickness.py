"""Where a section is thinner than a line, and how thin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manifold3d import CrossSection

#: A thin wall is at least this many line widths long; what is shorter is the rounding of a corner or a cusp.
_WALL_LENGTH = 4.0
#: Meshes give and take this much of a wall that is just wide enough, mm.
_SLACK_MM = 0.02
_ROUND_SIDES = 32


def thin_walls(section: CrossSection, width_mm: float) -> Iterator[tuple[float, tuple[float, float], float]]:
    """Walls of a section into which no disc of that diameter fits: (thickness mm, (x, y) mm, area mm2).

    The section is opened with a disc (an offset inwards and the same outwards); what is lost is thin. The thickness of
    such a part is twice its area over its perimeter: exact for a long wall.
    """
    from manifold3d import JoinType

    inset = max(width_mm - _SLACK_MM, 0.0) / 2.0
    opened = section.offset(-inset, JoinType.Round, 2.0, _ROUND_SIDES)
    opened = opened.offset(inset * 1.01, JoinType.Round, 2.0, _ROUND_SIDES)
    for part in (section - opened).decompose():
        rims = part.to_polygons()
        perimeter = sum(float(np.linalg.norm(np.roll(rim, -1, axis=0) - rim, axis=1).sum()) for rim in rims)
        if perimeter / 2.0 <= _WALL_LENGTH * width_mm:
            continue
        area = float(part.area())
        place = rims[0][0]
        yield 2.0 * area / perimeter, (float(place[0]), float(place[1])), area
