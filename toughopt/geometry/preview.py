"""A picture of a solid, shaded and with its dimensions, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from toughopt.geometry.solid import Solid

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_PAINT = np.array([0.36, 0.56, 0.72])
_PAPER = np.array([1.0, 1.0, 1.0])
_INK = "#30343a"
_LIGHT = np.array([-0.35, 0.62, 0.70])  # in the viewer's axes: right, up, towards the eye
_OVERSAMPLING = 2
_CHUNK = 2_000_000


def render_preview(
    solid: Solid,
    path: str | Path | None = None,
    *,
    size_px: tuple[int, int] = (900, 760),
    azimuth_deg: float = -58.0,
    elevation_deg: float = 24.0,
    title: str | None = None,
) -> Figure:
    """Draw `solid` in parallel projection with its outer dimensions; as a PNG at `path` where one is given.

    Parameters
    ----------
    size_px : width and height of the picture
    azimuth_deg, elevation_deg : where the eye is: counter-clockwise from the x axis, and above the bed
    title : over the picture; the family's name and the volume unless given

    Returns
    -------
    matplotlib.figure.Figure
        On the Agg canvas: no display is needed, and no state of pyplot is touched.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size_px[0] / 100, size_px[1] / 100), dpi=100, layout=None)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.9))
    picture_px = (int(0.96 * size_px[0]), int(0.9 * size_px[1]))
    draw_solid(axes, solid, size_px=picture_px, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
    family = solid.metadata.get("family", solid.metadata.get("file", "solid"))
    heading = title if title is not None else f"{family}, {solid.volume_mm3:,.0f} mm³"
    figure.text(0.5, 0.955, heading, ha="center", va="center", fontsize=12, color=_INK)
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", facecolor="white")
    return figure


def draw_solid(
    axes: Axes,
    solid: Solid,
    *,
    size_px: tuple[int, int] = (700, 560),
    azimuth_deg: float = -58.0,
    elevation_deg: float = 24.0,
) -> None:
    """Draw `solid` with its outer dimensions into `axes`; the parameters are those of `render_preview`."""
    axes_of_view = _view(azimuth_deg, elevation_deg)
    vertices, faces = solid.arrays()
    projected = vertices @ axes_of_view.T
    low, high = _frame(projected, solid.bounds_mm, axes_of_view)
    picture, extent = _shaded(projected, faces, low, high, size_px)
    axes.imshow(picture, extent=extent, interpolation="antialiased")
    _dimensions(axes, solid.bounds_mm, axes_of_view)
    axes.set_axis_off()
    axes.set_aspect("equal")


def _view(azimuth_deg: float, elevation_deg: float) -> FloatArray:
    """(3, 3) float: right, up and towards the eye, as unit rows."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    towards = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    return np.stack([right, np.cross(towards, right), towards])


def _shaded(
    projected: FloatArray, faces: IntArray, low: FloatArray, high: FloatArray, size_px: tuple[int, int]
) -> tuple[FloatArray, tuple[float, float, float, float]]:
    """An RGB picture of the triangles, hidden surfaces removed, and where it lies in the view's plane."""
    scale = _OVERSAMPLING * float(min(np.array(size_px) / (high - low)))
    width, height = (int(n) // _OVERSAMPLING * _OVERSAMPLING for n in np.ceil((high - low) * scale))
    on_screen = np.column_stack([(projected[:, :2] - low) * scale, projected[:, 2]])
    corners = on_screen[faces]
    normals = np.cross(projected[faces[:, 1]] - projected[faces[:, 0]], projected[faces[:, 2]] - projected[faces[:, 0]])
    length = np.linalg.norm(normals, axis=1)
    visible = (normals[:, 2] > 1e-9 * length) & (length > 0.0)
    corners, normals = corners[visible], normals[visible] / length[visible, None]
    depth = np.full(width * height, -np.inf)
    shown = np.full(width * height, -1)
    for pixel, nearness, face in _fragments(corners, width, height):
        np.maximum.at(depth, pixel, nearness)
        front = nearness >= depth[pixel]
        shown[pixel[front]] = face[front]
    light = 0.34 + 0.66 * np.clip(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
    image = np.where((shown >= 0)[:, None], _PAINT * light[shown, None] ** 0.9 * 1.25, _PAPER)
    image = _with_outlines(image.reshape(height, width, 3), depth.reshape(height, width), scale)
    small = image.reshape(height // _OVERSAMPLING, _OVERSAMPLING, width // _OVERSAMPLING, _OVERSAMPLING, 3).mean((1, 3))
    extent = (float(low[0]), float(low[0] + width / scale), float(low[1]), float(low[1] + height / scale))
    return np.clip(small[::-1], 0.0, 1.0), extent


def _fragments(corners: FloatArray, width: int, height: int) -> Iterator[tuple[IntArray, FloatArray, IntArray]]:
    """Pixels that each triangle covers, with their nearness to the eye, in chunks of bounded size."""
    face, row, left, right = _spans(corners, width, height)
    slope_x, slope_y, level = _planes(corners)
    count = np.maximum(right - left, 0)
    total = np.concatenate([[0], np.cumsum(count)])
    begin = 0
    while begin < len(face):
        end = max(begin + 1, int(np.searchsorted(total, total[begin] + _CHUNK, side="right")) - 1)
        span = np.repeat(np.arange(begin, end), count[begin:end])
        x = left[span] + np.arange(len(span)) - (total[span] - total[begin])
        of, y = face[span], row[span]
        yield y * width + x, level[of] + slope_x[of] * (x + 0.5) + slope_y[of] * (y + 0.5), of
        begin = end


def _spans(corners: FloatArray, width: int, height: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Face, row, first pixel and end of every run of pixels whose centres lie in a triangle."""
    ys = corners[:, :, 1]
    first = np.clip(np.ceil(ys.min(axis=1) - 0.5).astype(np.int64), 0, height)
    last = np.clip(np.ceil(ys.max(axis=1) - 0.5).astype(np.int64), 0, height)
    rows = np.maximum(last - first, 0)
    face = np.repeat(np.arange(len(corners)), rows)
    row = first[face] + np.arange(len(face)) - np.repeat(np.cumsum(rows) - rows, rows)
    left, right = np.full(len(face), np.inf), np.full(len(face), -np.inf)
    for i in range(3):
        x0, y0 = corners[face, i, 0], corners[face, i, 1]
        x1, y1 = corners[face, i - 1, 0], corners[face, i - 1, 1]
        crossed = (y0 <= row + 0.5) != (y1 <= row + 0.5)
        x = x0 + np.divide(row + 0.5 - y0, y1 - y0, out=np.zeros_like(x0), where=crossed) * (x1 - x0)
        left = np.where(crossed, np.minimum(left, x), left)
        right = np.where(crossed, np.maximum(right, x), right)
    hit = right > left
    face, row, left, right = face[hit], row[hit], left[hit], right[hit]
    begin = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
    end = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int64)
    return face, row, begin, end


def _planes(corners: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nearness over the screen as slope_x x + slope_y y + level, one plane a triangle."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    slope_x, slope_y = -normal[:, 0] / normal[:, 2], -normal[:, 1] / normal[:, 2]
    level = corners[:, 0, 2] - slope_x * corners[:, 0, 0] - slope_y * corners[:, 0, 1]
    return slope_x, slope_y, level


def _with_outlines(image: FloatArray, depth: FloatArray, scale: float) -> FloatArray:
    """Darker where the surface ends or jumps: what the eye reads as an edge."""
    filled = np.where(np.isfinite(depth), depth, -1e6)
    jump = np.zeros(depth.shape, dtype=bool)
    limit = 12.0 / scale  # a jump of a dozen pixels' worth of depth
    jump[:, 1:] |= np.abs(np.diff(filled, axis=1)) > limit
    jump[1:, :] |= np.abs(np.diff(filled, axis=0)) > limit
    return np.where(jump[..., None], image * 0.45, image)


def _dimensions(axes: Axes, bounds: FloatArray, view: FloatArray) -> None:
    """Arrows along the two front edges of the box's foot, and one beside it for the height."""
    low, high = bounds
    size = high - low
    gap = 0.06 * float(size.max())
    foot = np.array([[x, y, low[2]] for x in (low[0], high[0]) for y in (low[1], high[1])])
    seen = foot @ view.T
    front = foot[np.argmax(seen[:, 2])]
    for axis in (0, 1):
        other = front.copy()
        other[axis] = low[axis] + high[axis] - front[axis]
        ends = (view @ front)[:2] - (0.0, gap), (view @ other)[:2] - (0.0, gap)
        _arrow(axes, *ends, f"{size[axis]:.1f} mm")
    middle = np.append((low + high)[:2] / 2.0, low[2])
    beside = float(seen[:, 0].max()) + gap
    base = (view @ middle)[1]
    top = base + view[1, 2] * size[2]
    _arrow(axes, np.array([beside, base]), np.array([beside, top]), f"{size[2]:.1f} mm")


def _arrow(axes: Axes, start: FloatArray, end: FloatArray, words: str) -> None:
    ends = {"arrowstyle": "<->", "color": _INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (start[0], start[1]), (end[0], end[1]), arrowprops=ends, annotation_clip=False)
    x, y = (start + end) / 2.0
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(x, y, words, ha="center", va="center", fontsize=10, color=_INK, bbox=paper)


def _frame(projected: FloatArray, bounds: FloatArray, view: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower left and upper right corner of what has to fit into the picture: the solid and its dimensions."""
    box = np.array([[x, y, z] for x in bounds[:, 0] for y in bounds[:, 1] for z in bounds[:, 2]]) @ view.T
    gap = 0.14 * float(np.ptp(bounds, axis=0).max())
    low = np.minimum(projected[:, :2].min(axis=0), box[:, :2].min(axis=0)) - gap
    high = projected[:, :2].max(axis=0) + 0.3 * gap
    high[0] = box[:, 0].max() + gap
    return low, high
