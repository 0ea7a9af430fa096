"""The crossed barrel: hollow struts twisted in opposite senses between two round platforms.

The family of Gongora et al., Science Advances 6, eaaz1708 (2020), with the limits of its published table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toughopt.families.base import Parameter
from toughopt.families.crossings import shared_volume, shared_volume_unequal, strut_volume
from toughopt.families.parametric import Fault, ParametricFamily

if TYPE_CHECKING:
    from toughopt.geometry import Solid

#: A specimen for trying things out: 6 mm high, a few minutes to print, coarse enough to slice in well under a second.
SMALL_SPECIMEN: Mapping[str, float] = MappingProxyType({"height": 6.0, "platform_thickness": 0.6, "chord_error": 0.05})


class CrossedBarrel(ParametricFamily):
    """n hollow struts, neighbours leaning in opposite senses, that cross and join between two platforms.

    Strut i starts at the angle 360 i / n on a circle of `barrel_radius` and turns by `theta` about the axis on its
    way up. Each horizontal section of a strut is a ring of outer radius r and wall t: what a printer lays down in
    every layer. A wall t >= r makes a solid strut. Struts that cross are one solid. With `bores = "open"` all bores
    are taken out of the union, so that they meet at the crossings and open to the outside through both platforms;
    with `"walls"` every strut keeps its whole wall inside the others' bores, which encloses pockets of air.
    """

    name = "crossed_barrel"
    version = "1"

    chosen: ClassVar[tuple[Parameter, ...]] = (
        Parameter("n", "integer", 6, 12, 2, 8, "", "number of struts"),
        Parameter("theta", "real", 0.0, 200.0, None, 100.0, "deg", "twist of each strut from bottom to top"),
        Parameter("r", "real", 1.5, 2.5, None, 2.0, "mm", "outer radius of a strut"),
        Parameter("t", "real", 0.7, 1.4, None, 1.0, "mm", "wall of a strut; t >= r makes it solid"),
    )
    settled: ClassVar[tuple[Parameter, ...]] = (
        Parameter("height", "real", 2.0, 200.0, None, 20.0, "mm", "total height, as the published tests suggest"),
        Parameter(
            "barrel_radius", "real", 2.0, 100.0, None, 10.0, "mm",
            "of the circle of strut axes; 10 is the least round value at which 12 of the thickest struts stay apart",
        ),
        Parameter(
            "platform_thickness", "real", 0.1, 20.0, None, 1.0, "mm",
            "five layers of 0.2 mm, enough to bridge between struts and little beside their mass",
        ),
        Parameter(
            "platform_radius", "real", 2.0, 120.0, None, 13.0, "mm",
            "half a millimetre more than the thickest struts reach, so that no strut stands out",
        ),
        Parameter(
            "senses", "categorical", None, None, None, "alternating", "",
            "neighbours twisted in opposite senses, or all to the right or left", ("alternating", "right", "left"),
        ),
        Parameter(
            "bores", "categorical", None, None, None, "open", "",
            "open: taken out of the union of all struts; walls: each strut keeps its wall inside the others' bores",
            ("open", "walls"),
        ),
        Parameter("density", "real", 0.1, 20.0, None, 1.24, "g/cm3", "of the material, for masses; that of PLA"),
        Parameter(
            "chord_error", "real", 0.001, 0.5, None, 0.02, "mm",
            "how far the mesh may be from the true surface: a tenth of a layer",
        ),
    )  # fmt: skip
    possible: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"n": (2, 60), "theta": (0.0, 1080.0), "r": (0.2, 50.0), "t": (0.1, 50.0)}
    )
    feature_names = (
        "volume_mm3",
        "mass_g",
        "wall_area_mm2",
        "slenderness",
        "minimum_feature_mm",
        "overhang_deg",
        "crossings",
        "log_wall_area",
        "log_slenderness",
    )
    model_feature_names = ("crossings", "log_wall_area", "log_slenderness")

    def faults(self, columns: Mapping[str, Any]) -> Iterable[Fault]:
        """Struts that merge side by side, reach the axis or stand out; platforms that leave no room."""
        n, r, barrel = columns["n"], columns["r"], columns["barrel_radius"]
        yield Fault(
            r > barrel * np.sin(np.pi / n) * (1.0 + 1e-12),
            lambda d: (
                f"r = {d['r']:g} mm makes neighbours of the {d['n']:g} struts merge on a barrel radius of "
                f"{d['barrel_radius']:g} mm; choose r up to {d['barrel_radius'] * np.sin(np.pi / d['n']):.4g} mm, "
                "fewer struts, or a wider barrel"
            ),
        )
        yield Fault(
            barrel + r > columns["platform_radius"],
            lambda d: (
                f"struts of r = {d['r']:g} mm on a barrel radius of {d['barrel_radius']:g} mm stand out of the "
                f"platforms of platform_radius = {d['platform_radius']:g} mm; choose a platform_radius of at least "
                f"{d['barrel_radius'] + d['r']:g} mm"
            ),
        )
        yield Fault(
            2.0 * columns["platform_thickness"] >= columns["height"],
            lambda d: (
                f"two platforms of platform_thickness = {d['platform_thickness']:g} mm leave no struts in a height "
                f"of {d['height']:g} mm; choose less than {d['height'] / 2:g} mm"
            ),
        )

    def describe(self, columns: Mapping[str, Any]) -> Iterator[Any]:
        """Volume and mass (exact but for the mesh), wall area, slenderness, and what a printer should know."""
        n, theta, r, t = columns["n"], np.radians(columns["theta"]), columns["r"], columns["t"]
        height, barrel = columns["height"], columns["barrel_radius"]
        bore = np.maximum(r - t, 0.0)
        volume = self._volume(columns, np.where(_alternate(columns), theta, 0.0), bore)
        wall_area = n * np.pi * (r**2 - bore**2)
        crossings = np.where(_alternate(columns), n * columns["theta"] / 360.0, 0.0)
        length = np.hypot(height, barrel * theta)
        # column slenderness: length between crossings over the radius of gyration of the ring
        slenderness = length / (1.0 + crossings) / (0.5 * np.hypot(r, bore))
        yield volume
        yield volume * columns["density"] * 1e-3
        yield wall_area
        yield slenderness
        yield np.minimum(np.where(t < r, t, 2.0 * r), columns["platform_thickness"])
        yield np.degrees(np.arctan2(barrel * theta, height))
        yield crossings
        yield np.log(wall_area)
        yield np.log(slenderness)

    def build(self, values: Mapping[str, Any]) -> Solid:
        """The body at the family's chord error."""
        from toughopt.families.barrel_mesh import barrel_body

        return barrel_body(values)

    def _volume(self, columns: Mapping[str, Any], sweep: Any, bore: Any) -> Any:
        n, r, height = columns["n"], columns["r"], columns["height"]
        thick, barrel = columns["platform_thickness"], columns["barrel_radius"]
        plates = 2.0 * thick * np.pi * columns["platform_radius"] ** 2
        outside = strut_volume(n, sweep, r, barrel, height, thick, height - thick)
        inside = strut_volume(n, sweep, bore, barrel, height, 0.0, height)
        walls = np.asarray(columns["bores"]) == "walls"
        if walls.any():
            # walls stand in the bores that they cross: what bores share with struts is air only where bores meet
            crossed = shared_volume_unequal(n, sweep, r, bore, barrel, height, 0.0, height)
            both = shared_volume(n, sweep, bore, barrel, height, 0.0, height)
            inside = inside - np.where(walls, 2.0 * (crossed - both), 0.0)
        return plates + outside - inside


def _alternate(columns: Mapping[str, Any]) -> Any:
    return np.asarray(columns["senses"]) == "alternating"
