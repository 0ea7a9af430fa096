"""What lattices and minimal surfaces share: a box or cylinder between two plates, and its one connected piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.families.base import Parameter
from toughopt.geometry import Solid, circle, circle_sides, combine, main_body

if TYPE_CHECKING:
    from manifold3d import CrossSection, Manifold

#: The parameters that both have, fixed by default.
ENVELOPE = (
    Parameter(
        "envelope", "categorical", None, None, None, "box", "",
        "what the cells fill: a square box, or the round cylinder inside it", ("box", "cylinder"),
    ),
    Parameter("width", "real", 4.0, 200.0, None, 20.0, "mm", "side of the box, diameter of the cylinder"),
    Parameter("height", "real", 2.0, 200.0, None, 20.0, "mm", "total, plates included"),
    Parameter(
        "plate", "real", 0.0, 20.0, None, 1.0, "mm",
        "thickness of the plates below and above, which spread the load of a press; 0 for none",
    ),
    Parameter("density", "real", 0.1, 20.0, None, 1.24, "g/cm3", "of the material, for masses; that of PLA"),
)  # fmt: skip


def core_height(columns: Mapping[str, Any]) -> Any:
    """Height between the plates, mm."""
    return columns["height"] - 2.0 * columns["plate"]


def cross_area(columns: Mapping[str, Any]) -> Any:
    """Area of the envelope's section, mm2."""
    share = np.where(np.asarray(columns["envelope"]) == "cylinder", np.pi / 4.0, 1.0)
    return share * columns["width"] ** 2


def enclosed(core: Manifold, values: Mapping[str, Any]) -> Solid:
    """`core`, cut to the envelope, with its plates; pieces that the cut leaves unconnected are dropped.

    `core` is centred on the z axis and reaches from below the lower plate's top to above the upper one's underside.
    """
    from manifold3d import Manifold

    height, plate = values["height"], values["plate"]
    outline = _outline(values)
    cut = combine([core, Manifold.extrude(outline, height)], "intersect")
    if plate > 0.0:
        floor = Manifold.extrude(outline, plate)
        cut = combine([cut, floor, floor.translate((0.0, 0.0, height - plate))], "add")
    return main_body(Solid(cut.simplify(1e-4)), "the envelope")


def in_envelope(block: Manifold, values: Mapping[str, Any]) -> Solid:
    """A block that fills the square of the envelope from corner (0, 0, 0) on, centred, and cut where it is round."""
    from manifold3d import Manifold

    body = block.translate((-values["width"] / 2.0, -values["width"] / 2.0, 0.0))
    if values["envelope"] == "cylinder":
        body = combine([body, Manifold.extrude(_outline(values), values["height"])], "intersect").simplify(1e-4)
    return main_body(Solid(body), "the envelope")


def _outline(values: Mapping[str, Any]) -> CrossSection:
    from manifold3d import CrossSection

    width = values["width"]
    if values["envelope"] == "cylinder":
        return CrossSection([circle(width / 2.0, circle_sides(width / 2.0, values["chord_error"], multiple_of=4))])
    return CrossSection.square((width, width), True)
