"""The generalized cylindrical shell: a thin lobed wall that twists and widens on its way up.

The family of Snapp et al., Nature Communications 15, 4290 (2024), doi 10.1038/s41467-024-48534-4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import pi
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from toughopt.errors import DesignError
from toughopt.families.base import Designs, Parameter
from toughopt.families.lobes import enclosed_area, least_shape, unit_perimeter
from toughopt.families.parametric import Fault, ParametricFamily
from toughopt.families.shell_slope import steepest_wall_deg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid

LEAST_PERIMETER_MM = 30.0  # so that the base holds to the bed
LEAST_RADIUS_MM = 0.01  # so that the path does not cross the axis
STEEPEST_WALL_DEG = 75.0
_LEVELS = 17  # of Simpson's rule over the height


class CylindricalShell(ParametricFamily):
    """A wall whose section has four and eight lobes; lobes and perimeter change linearly from base to top.

    At height z the radius at polar angle phi is r(phi + twist(z)), r(psi) = r0 (1 + c4 cos 4 psi + c8 cos 8 psi) and
    twist(z) = twist_linear z/h + twist_amplitude sin(2 pi twist_cycles z/h); r0 gives the section its perimeter. The
    base perimeter is what the mass leaves for the height and the wall: 2 m / (density h t (1 + perimeter_ratio)).

    With `wall = "vase"` the solid is the body inside the outer surface, to be printed as one spiral line around it;
    with `"solid"` it is the wall itself, `thickness` wide inwards from that surface in each horizontal section.
    """

    name = "cylindrical_shell"
    version = "1"

    chosen: ClassVar[tuple[Parameter, ...]] = (
        Parameter("c4_base", "real", 0.0, 1.2, None, 0.14, "", "size of the four lobes at the base"),
        Parameter("c8_base", "real", -1.0, 1.0, None, -0.22, "", "size of the eight lobes at the base"),
        Parameter("c4_top", "real", 0.0, 1.2, None, 0.99, "", "size of the four lobes at the top"),
        Parameter("c8_top", "real", -1.0, 1.0, None, 0.28, "", "size of the eight lobes at the top"),
        Parameter("twist_linear", "real", 0.0, 2.0 * pi, None, 1.65, "rad", "turn of the top against the base"),
        Parameter("twist_amplitude", "real", 0.0, pi, None, 0.14, "rad", "swing of the twist about the linear one"),
        Parameter("twist_cycles", "real", 0.0, 3.0, None, 0.89, "", "swings between base and top"),
        Parameter("perimeter_ratio", "real", 1.0, 3.0, None, 1.54, "", "perimeter of the top over that of the base"),
        Parameter("mass", "real", 1.0, 5.0, None, 2.28, "g", "of the wall"),
        Parameter("height", "real", 10.0, 30.0, None, 26.3, "mm", "from base to top"),
        Parameter("thickness", "real", 0.4, 1.0, None, 0.77, "mm", "of the wall"),
    )
    settled: ClassVar[tuple[Parameter, ...]] = (
        Parameter("density", "real", 0.1, 20.0, None, 1.2, "g/cm3", "of the material, as published"),
        Parameter(
            "nozzle", "real", 0.1, 3.0, None, 0.75, "mm",
            "diameter of the nozzle, as published: single walls come out between half and twice of it",
        ),
        Parameter(
            "wall", "categorical", None, None, None, "vase", "",
            "vase: the outer surface, for one spiral line; solid: the wall as a body", ("vase", "solid"),
        ),
        Parameter(
            "chord_error", "real", 0.001, 0.5, None, 0.05, "mm",
            "how far the mesh may be from the surface: a quarter of a layer, a twentieth of a line",
        ),
    )  # fmt: skip
    possible: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"mass": (0.05, 1000.0), "height": (1.0, 300.0), "thickness": (0.1, 5.0), "perimeter_ratio": (0.2, 5.0)}
    )
    feature_names = (
        "mass_g",
        "wall_area_mm2",
        "slenderness",
        "minimum_feature_mm",
        "overhang_deg",
        "enclosed_volume_mm3",
        "base_perimeter_mm",
        "top_perimeter_mm",
        "least_radius_mm",
        "log_slenderness",
        "log_enclosed_volume",
    )
    model_feature_names = ("log_slenderness", "overhang_deg", "log_enclosed_volume")

    @property
    def print_mode(self) -> Literal["solid", "vase"]:
        """`vase` unless the wall itself is made."""
        return "solid" if self.fixed.get("wall") == "solid" else "vase"

    def is_valid(self, designs: Designs, answer: Literal["printable", "geometric"] = "printable") -> NDArray[np.bool_]:
        """(n,) bool: which designs can be made.

        `geometric`: the base is at least 30 mm around and no radius is below 0.01 mm, as in the authors' package.
        `printable`: also within all limits, walls lean at most 75 degrees, and the nozzle can lay them.
        """
        if answer == "printable":
            return super().is_valid(designs)
        if answer != "geometric":
            raise DesignError(f"answer = {answer!r} is no answer of {self.name}; choose printable or geometric")
        columns = {**self.fixed, **self.columns(designs)}
        with np.errstate(all="ignore"):
            return np.atleast_1d(_geometric(_sections(columns)))

    def derive(self, columns: Mapping[str, Any]) -> Mapping[str, Any]:
        """Base perimeter and least radius, mm, and the steepest lean of the wall, degrees (NaN where not geometric)."""
        sections = _sections(columns)
        chosen = np.atleast_1d(_geometric(sections))
        some = {name: column[chosen] if np.ndim(column) else column for name, column in columns.items()}
        lean = np.full(len(chosen), np.nan)
        lean[chosen] = steepest_wall_deg(some)
        return {**sections, "lean": lean}

    def faults(self, columns: Mapping[str, Any]) -> Iterable[Fault]:
        """Bases too small to hold, sections through the axis, walls too flat, lines that the nozzle cannot lay."""
        yield Fault(
            ~(columns["base_perimeter"] >= LEAST_PERIMETER_MM),
            lambda d: (
                f"the base is {d['base_perimeter']:.3g} mm around, too small to hold to the bed; choose at least "
                f"{LEAST_PERIMETER_MM:g} mm: more mass ({d['mass']:g} g), or less height ({d['height']:g} mm), "
                f"thickness ({d['thickness']:g} mm) or perimeter_ratio ({d['perimeter_ratio']:g})"
            ),
        )
        yield Fault(
            ~(columns["least_radius"] >= LEAST_RADIUS_MM),
            lambda d: (
                f"the section comes within {d['least_radius']:.3g} mm of its axis, less than {LEAST_RADIUS_MM:g} mm: "
                f"it would cross itself; choose c4 and c8 closer to 0 (base {d['c4_base']:g}, {d['c8_base']:g}; "
                f"top {d['c4_top']:g}, {d['c8_top']:g})"
            ),
        )
        yield Fault(
            columns["lean"] > STEEPEST_WALL_DEG,
            lambda d: (
                f"walls lean up to {d['lean']:.0f} deg from the vertical, more than "
                f"{STEEPEST_WALL_DEG:g} deg; choose less twist, smaller lobes, less perimeter_ratio or more height"
            ),
        )
        wall, nozzle = columns["thickness"], columns["nozzle"]
        yield Fault(
            (wall < 0.5 * nozzle) | (wall > 2.0 * nozzle),
            lambda d: (
                f"thickness = {d['thickness']:g} mm cannot be laid in one line by a nozzle of {d['nozzle']:g} mm; "
                f"choose {0.5 * d['nozzle']:g} to {2.0 * d['nozzle']:g} mm"
            ),
        )

    def describe(self, columns: Mapping[str, Any]) -> Iterator[Any]:
        """Mass, wall, slenderness (mean radius over wall), lean and enclosed volume."""
        base = columns["base_perimeter"]
        mean = 0.5 * base * (1.0 + columns["perimeter_ratio"])
        slenderness = mean / (2.0 * np.pi) / columns["thickness"]
        volume = _enclosed_volume(columns)
        yield columns["mass"]
        yield mean * columns["thickness"]
        yield slenderness
        yield columns["thickness"]
        yield columns["lean"]
        yield volume
        yield base
        yield base * columns["perimeter_ratio"]
        yield columns["least_radius"]
        yield np.log(slenderness)
        yield np.log(volume)

    def build(self, values: Mapping[str, Any]) -> Solid:
        """The body inside the outer surface, or the wall."""
        from toughopt.families.shell_mesh import outer_body, wall_body

        return wall_body(values) if values["wall"] == "solid" else outer_body(values)


def _sections(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Base perimeter, and the least radius at base and top, mm.

    In between no radius is smaller: r / r0 is linear in c4 and c8, so its minimum is concave along the height.
    """
    around = 1e-3 * columns["density"] * columns["height"] * columns["thickness"] * (1.0 + columns["perimeter_ratio"])
    base = 2.0 * columns["mass"] / around
    ends = []
    for end, perimeter in (("base", base), ("top", base * columns["perimeter_ratio"])):
        c4, c8 = np.broadcast_arrays(np.atleast_1d(columns[f"c4_{end}"]), np.atleast_1d(columns[f"c8_{end}"]))
        least = least_shape(c4, c8)
        unit = np.asarray(unit_perimeter(c4, c8, nodes=8))
        possible = (least > 0.0) & (base >= LEAST_PERIMETER_MM)  # for the others a rough length does for the message
        unit[possible] = unit_perimeter(c4[possible], c8[possible])
        ends.append(perimeter / unit * least)
    return {"base_perimeter": base, "least_radius": np.minimum(*ends)}


def _geometric(sections: Mapping[str, Any]) -> Any:
    return (sections["base_perimeter"] >= LEAST_PERIMETER_MM) & (sections["least_radius"] >= LEAST_RADIUS_MM)


def _enclosed_volume(columns: Mapping[str, Any]) -> Any:
    """Volume inside the outer surface by Simpson's rule over the height, mm3."""
    total: Any = 0.0
    for level, weight in zip(np.linspace(0.0, 1.0, _LEVELS), _simpson(_LEVELS), strict=True):
        c4 = columns["c4_base"] + level * (columns["c4_top"] - columns["c4_base"])
        c8 = columns["c8_base"] + level * (columns["c8_top"] - columns["c8_base"])
        perimeter = columns["base_perimeter"] * (1.0 + level * (columns["perimeter_ratio"] - 1.0))
        total = total + weight * enclosed_area(perimeter / unit_perimeter(c4, c8), c4, c8)
    return total * columns["height"]


def _simpson(count: int) -> NDArray[np.float64]:
    weight = np.full(count, 2.0)
    weight[1::2] = 4.0
    weight[[0, -1]] = 1.0
    weights: NDArray[np.float64] = weight / weight.sum()
    return weights
