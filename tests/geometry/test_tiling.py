"""Mirrored tiles: closed, of as many times the volume, and symmetric."""

from __future__ import annotations

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold

from toughopt.errors import MeshError
from toughopt.geometry import Solid, combine, mirrored_fan, mirrored_tiles


def quarter(side=2.0, height=3.0):
    """A slab with a rod across each side, a ball in one corner and a slanted rod: all cut off at the tile's sides."""
    room = Manifold.cube((side, side, height))
    rod = Manifold.cylinder(3.0 * side, 0.3, circular_segments=12).translate((0.0, 0.0, -side))
    parts = [
        Manifold.cube((2.0 * side, 2.0 * side, 2.4), True),
        rod.rotate((90.0, 0.0, 0.0)).translate((0.0, 0.0, 1.0)),
        rod.rotate((0.0, 50.0, 30.0)).translate((side, 0.0, 1.0)),
        Manifold.sphere(0.9, 24).translate((side, side, 1.5)),
        rod,
    ]
    return sum(parts[1:], parts[0]) ^ room


@pytest.mark.parametrize("count", [2, 4, 6])
def test_tiles_are_one_closed_body_of_as_many_times_the_volume(count):
    block = quarter()
    whole = Solid(mirrored_tiles(block, 2.0, count))
    assert whole.volume_mm3 == pytest.approx(count**2 * block.volume(), rel=1e-4)
    assert len(whole.bodies()) == 1
    assert whole.bounds_mm == pytest.approx(np.array([[0.0, 0.0, 0.0], [2.0 * count, 2.0 * count, 3.0]]), abs=1e-9)


def test_no_faces_are_left_where_tiles_meet():
    vertices, faces = Solid(mirrored_tiles(quarter(), 2.0, 4)).arrays()
    for axis in (0, 1):
        for plane in (2.0, 4.0, 6.0):
            assert not np.all(np.abs(vertices[faces][:, :, axis] - plane) < 1e-9, axis=1).any()


def test_tiles_are_mirror_images_of_their_neighbours():
    whole = mirrored_tiles(quarter(), 2.0, 2)
    image = whole.mirror((1.0, 0.0, 0.0)).translate((4.0, 0.0, 0.0))
    assert (whole - image).volume() == pytest.approx(0.0, abs=1e-6)


def test_an_odd_number_of_tiles_is_refused():
    with pytest.raises(MeshError, match="3 tiles side by side"):
        mirrored_tiles(quarter(), 2.0, 3)


def wedge(count, *parts):
    """Parts cut to the space between the planes at half a step to either side of the x axis."""
    reach = 20.0 * np.tan(np.pi / count)
    room = Manifold.extrude(CrossSection([np.array([(0.0, 0.0), (20.0, -reach), (20.0, reach)])]), 10.0)
    return combine([combine(list(parts), "add"), room], "intersect")


def test_mirrored_wedges_make_a_whole():
    disc = Manifold.cylinder(1.0, 8.0, 8.0, 48)
    peg = Manifold.cylinder(5.0, 0.5, 0.5, 24).translate((6.0, 0.0, 0.5))
    arm = Manifold.cube((1.0, 9.0, 1.0), True).rotate((0.0, 0.0, 30.0)).translate((5.0, 1.0, 3.0))  # through the planes
    solid = Solid(mirrored_fan(wedge(6, disc, peg, arm), 6))
    assert solid.to_trimesh().is_watertight and len(solid.bodies()) == 1
    assert solid.volume_mm3 == pytest.approx(6 * wedge(6, disc, peg, arm).volume(), rel=1e-9)
    np.testing.assert_allclose(solid.bounds_mm[:, 2], [0.0, 5.5])
    for image in (solid.rotated(0.0, 0.0, 120.0), solid.mirrored((0.0, 1.0, 0.0)).rotated(0.0, 0.0, 60.0)):
        assert combine([solid.manifold, image.manifold], "intersect").volume() == pytest.approx(solid.volume_mm3)


def test_wedges_without_a_partner_are_refused():
    with pytest.raises(MeshError, match="5 wedges around an axis were asked for; mirrored wedges come in pairs"):
        mirrored_fan(wedge(5, Manifold.cylinder(1.0, 8.0, 8.0, 40)), 5)
