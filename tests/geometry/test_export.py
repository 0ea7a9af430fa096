"""What is written can be read back by others: same body, units, metadata; whole or not at all."""

from __future__ import annotations

import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, OpType

from toughopt.errors import MeshError
from toughopt.families import family
from toughopt.geometry import Solid, export, load_mesh

BARREL = family("crossed_barrel", chord_error=0.1).solid({"n": 6, "theta": 70.0, "r": 2.0, "t": 1.0})


@pytest.mark.parametrize("ending", ["stl", "3mf", "obj", "glb", "STL"])
def test_every_format_comes_back_the_same(tmp_path, ending):
    path = export(BARREL, tmp_path / "deep" / f"barrel.{ending}")
    again = load_mesh(path)
    assert again.volume_mm3 == pytest.approx(BARREL.volume_mm3, rel=1e-5)
    assert again.area_mm2 == pytest.approx(BARREL.area_mm2, rel=1e-5)
    np.testing.assert_allclose(again.bounds_mm, BARREL.bounds_mm, atol=1e-5)
    assert again.warnings == () and len(again.bodies()) == 1
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_stl_is_binary_with_as_many_triangles_as_it_says(tmp_path):
    data = export(BARREL, tmp_path / "barrel.stl").read_bytes()
    (count,) = struct.unpack("<I", data[80:84])
    assert len(data) == 84 + 50 * count and not data.startswith(b"solid")


def test_3mf_tells_units_and_design(tmp_path):
    tricky = BARREL.with_metadata(design='{"a": "<&\'>"}', Title="a & b")
    with zipfile.ZipFile(export(tricky, tmp_path / "barrel.3mf")) as archive:
        assert archive.testzip() is None
        root = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    core = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    assert root.tag == f"{core}model" and root.attrib["unit"] == "millimeter"
    told = {item.attrib["name"]: item.text for item in root.iter(f"{core}metadata")}
    assert told["toughopt:design"] == '{"a": "<&\'>"}' and told["Title"] == "a & b"
    assert told["toughopt:family"] == "crossed_barrel" and told["toughopt:version"] == "1"


@pytest.mark.parametrize("ending", ["stl", "3mf"])
def test_the_same_solid_gives_the_same_bytes(tmp_path, ending):
    first = export(BARREL, tmp_path / f"a.{ending}").read_bytes()
    assert export(BARREL, tmp_path / f"b.{ending}").read_bytes() == first


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(MeshError, match=r"no mesh format '\.step' is known; choose \.stl, \.3mf, \.obj, \.glb"):
        export(BARREL, tmp_path / "barrel.step")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_writing_fails(tmp_path):
    target = tmp_path / "taken.stl"
    target.mkdir()
    with pytest.raises(OSError):
        export(BARREL, target)
    assert [item.name for item in tmp_path.iterdir()] == ["taken.stl"] and list(target.iterdir()) == []


def test_corners_that_fall_together_in_single_precision_stay_closed(tmp_path):
    near = Manifold.cube((10.0, 10.0, 10.0)).translate((1000.0, 0.0, 0.0))
    sliver = Manifold.cube((1e-5, 5.0, 5.0)).translate((1010.0 - 1e-9, 1.0, 1.0))
    solid = Solid(Manifold.batch_boolean([near, sliver], OpType.Add))
    again = load_mesh(export(solid, tmp_path / "sliver.stl"))
    assert again.volume_mm3 == pytest.approx(1000.0, rel=1e-5)


@pytest.mark.parametrize("ending", ["obj", "glb"])
def test_no_format_has_corners_that_single_precision_cannot_tell_apart(tmp_path, ending):
    cube = Manifold.cube((10.0, 10.0, 10.0))
    sliver = Manifold.cube((2e-7, 5.0, 5.0)).translate((10.0 - 1e-9, 1.0, 1.0))
    loaded = trimesh.load(export(Solid(cube + sliver), tmp_path / f"sliver.{ending}"), process=False, force="mesh")
    corners = np.asarray(loaded.vertices, dtype=np.float32)
    assert len(np.unique(corners, axis=0)) == len(corners) and loaded.is_watertight


def test_details_finer_than_single_precision_are_refused(tmp_path):
    far = Solid(Manifold.cube((1e-3, 1e-3, 1e-3)).translate((1e6, 0.0, 0.0)))
    with pytest.raises(MeshError, match="finer than single precision"):
        export(far, tmp_path / "far.stl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
@pytest.mark.parametrize("ending", ["stl", "3mf", "obj"])
@pytest.mark.parametrize("name", ["crossed_barrel", "cylindrical_shell", "strut_lattice", "tpms_shell"])
def test_prusa_slicer_opens_it_without_repair(tmp_path, need, name, ending):
    program = shutil.which("prusa-slicer")
    need("prusa-slicer", program is not None)
    made = family(name)
    solid = made.solid(made.complete({}, fill=True))
    path = export(solid, tmp_path / f"part.{ending}")
    told = subprocess.run([program, "--info", str(path)], capture_output=True, text=True, check=True, timeout=240)
    figures = dict(line.split(" = ", 1) for line in told.stdout.splitlines() if " = " in line)
    assert figures["manifold"] == "yes"
    assert figures["number_of_parts"].strip() == "1"
    assert not {"facets_removed", "facets_reversed", "edges_fixed", "degenerate_facets", "backwards_edges"} & set(
        figures
    )
    assert float(figures["volume"]) == pytest.approx(solid.volume_mm3, rel=1e-4)
    assert float(figures["size_z"]) == pytest.approx(np.ptp(solid.bounds_mm[:, 2]), rel=1e-5)
