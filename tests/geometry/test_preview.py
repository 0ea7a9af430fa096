"""The preview shows the solid where it is, without a display."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold
from matplotlib.image import imread

from toughopt.geometry import Solid, render_preview


def test_a_preview_is_a_picture_of_the_solid(tmp_path):
    solid = Solid(Manifold.cube((10.0, 10.0, 10.0)) + Manifold.cube((10.0, 10.0, 10.0)).translate((20.0, 0.0, 0.0)))
    figure = render_preview(solid, tmp_path / "a" / "cubes.png", size_px=(500, 400))
    picture = imread(tmp_path / "a" / "cubes.png")
    assert picture.shape[:2] == (400, 500)
    blue = (picture[..., 2] - picture[..., 0]) > 0.1
    assert 0.05 < blue.mean() < 0.6
    # two blocks with white between them
    columns = np.flatnonzero(blue.any(axis=0))
    assert (np.diff(columns) > 5).sum() == 1
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"30.0 mm", "10.0 mm"} <= set(words)


def test_what_is_in_front_hides_what_is_behind():
    tall = Manifold.cube((4.0, 40.0, 40.0))
    small = Manifold.cube((4.0, 4.0, 4.0))
    hidden, beside = small.translate((-30.0, 18.0, 10.0)), small.translate((-30.0, 60.0, 10.0))
    assert (np.diff(_columns(Solid(tall + hidden))) > 1).sum() == 0
    assert (np.diff(_columns(Solid(tall + beside))) > 1).sum() == 1


def _columns(solid):
    """Which columns of the picture show anything."""
    figure = render_preview(solid, size_px=(300, 300), azimuth_deg=0.0, elevation_deg=10.0, title="")
    image = np.asarray(figure.axes[0].images[0].get_array())
    return np.flatnonzero((image.sum(axis=2) < 2.9).any(axis=0))
