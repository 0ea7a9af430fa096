"""One specimen: its curve with the area that counts, and its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import BLUE, GREEN, ORANGE, empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from toughopt.compression import Curve
    from toughopt.geometry import Solid
    from toughopt.journal import Experiment

_MOST_POINTS = 2000  # a screen shows no more


def draw_curve(axes: Axes, experiment: Experiment | None, curve: Curve | None, title: str) -> None:
    """Force against displacement of one test, with the energy that was taken up shaded."""
    axes.set_title(title)
    axes.set_xlabel("displacement [mm]")
    axes.set_ylabel("force [N]")
    if experiment is None or curve is None:
        empty(axes, "no test yet")
        return
    contact = float(experiment.result.get("contact_mm") or 0.0)
    step = max(1, len(curve.displacement_mm) // _MOST_POINTS)
    x, force = curve.displacement_mm[::step] - contact, curve.force_n[::step]
    counts = x >= 0
    axes.plot(x, force, color=BLUE, linewidth=1.6)
    toughness = experiment.result.get("toughness_j")
    words = "" if toughness is None else f"toughness {toughness:.3g} J"
    axes.fill_between(x[counts], 0.0, force[counts], color=ORANGE, alpha=0.35, linewidth=0, label=words)
    peak = int(np.argmax(force))
    axes.plot(x[peak], force[peak], "v", color=GREEN, label=f"peak {force[peak]:.4g} N")
    axes.legend(loc="best")


def draw_shape(axes: Axes, solid: Solid | None, title: str) -> None:
    """The design in hand, shaded, drawn to scale on 3-D axes."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    axes.set_title(title)
    axes.set_axis_off()
    if solid is None:
        return
    mesh = solid.to_trimesh()
    triangles = mesh.triangles
    light = np.array([0.35, -0.5, 0.8]) / np.linalg.norm([0.35, -0.5, 0.8])
    shade = 0.45 + 0.55 * np.clip(mesh.face_normals @ light, 0.0, 1.0)
    colours = np.clip(np.array([0.34, 0.71, 0.91])[None, :] * shade[:, None], 0.0, 1.0)
    axes.add_collection3d(Poly3DCollection(triangles, facecolors=colours, edgecolors="none"))  # type: ignore[attr-defined]
    low, high = solid.bounds_mm
    centre, half = (low + high) / 2, float(np.max(high - low)) / 2
    for setter, middle in zip(("set_xlim", "set_ylim", "set_zlim"), centre, strict=True):
        getattr(axes, setter)(middle - half, middle + half)
    axes.set_box_aspect((1, 1, 1))  # type: ignore[arg-type]
    axes.view_init(elev=22, azim=-60)  # type: ignore[attr-defined]
