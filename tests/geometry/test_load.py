"""Meshes as people have them: repaired where that is safe, refused with a place where it is not."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

from toughopt.errors import MeshError
from toughopt.geometry import Solid, export, load_mesh


def write(path, vertices, faces):
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in np.asarray(vertices, dtype=float).tolist()]
    lines += ["f " + " ".join(str(i + 1) for i in face) for face in np.asarray(faces).tolist()]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def box():
    mesh = trimesh.creation.box((10.0, 20.0, 30.0))
    return np.array(mesh.vertices), np.array(mesh.faces)


def test_text_stl_with_separate_corners(tmp_path, box):
    path = tmp_path / "box.stl"
    path.write_text(trimesh.Trimesh(*box, process=False).export(file_type="stl_ascii"))
    solid = load_mesh(path)
    assert solid.volume_mm3 == pytest.approx(6000.0) and solid.warnings == ()
    assert solid.metadata["file"] == "box.stl"


def test_inverted_and_mixed_faces_are_turned(tmp_path, box):
    vertices, faces = box
    solid = load_mesh(write(tmp_path / "in.obj", vertices, faces[:, ::-1]))
    assert solid.volume_mm3 == pytest.approx(6000.0) and "inside out" in solid.warnings[0]
    mixed = faces.copy()
    mixed[:2] = mixed[:2, ::-1]
    solid = load_mesh(write(tmp_path / "mixed.obj", vertices, mixed))
    assert solid.volume_mm3 == pytest.approx(6000.0) and "turned to agree" in solid.warnings[0]


def test_double_and_flat_faces_are_dropped(tmp_path, box):
    vertices, faces = box
    extra = np.vstack([faces, faces[:1], [[0, 0, 1]]])
    solid = load_mesh(write(tmp_path / "extra.obj", vertices, extra))
    assert solid.volume_mm3 == pytest.approx(6000.0)
    assert any("more than once" in note for note in solid.warnings)


def test_corners_a_hair_apart_are_welded(tmp_path, box):
    vertices, faces = box
    apart = vertices[faces].reshape(-1, 3) + np.random.default_rng(0).uniform(-2e-4, 2e-4, (36, 3))
    solid = load_mesh(write(tmp_path / "apart.obj", np.round(apart, 6), np.arange(36).reshape(-1, 3)))
    assert solid.volume_mm3 == pytest.approx(6000.0, rel=1e-3) and "welded" in " ".join(solid.warnings)


def test_a_small_hole_is_filled_and_a_large_one_has_a_place(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=4, radius=5.0)
    faces = np.array(ball.faces)
    top = int(np.argmax(ball.triangles_center[:, 2]))
    keep = np.arange(len(faces)) != top
    solid = load_mesh(write(tmp_path / "small.obj", ball.vertices, faces[keep]))
    assert solid.volume_mm3 == pytest.approx(ball.volume, rel=1e-3) and "1 hole of up to" in solid.warnings[0]
    cap = ball.triangles_center[:, 2] < 4.0
    with pytest.raises(MeshError, match=r"open near \(.*\) mm: a hole \d.* mm wide with \d+ edges") as caught:
        load_mesh(write(tmp_path / "large.obj", ball.vertices, faces[cap]))
    place = re.search(r"near \(([^)]*)\)", str(caught.value)).group(1)
    np.testing.assert_allclose([float(number) for number in place.split(",")], [0.0, 0.0, 4.0], atol=0.1)


def test_overlapping_bodies_are_united_and_separate_ones_told(tmp_path, box):
    vertices, faces = box
    for shift, words, volume in (
        (5.0, "2 bodies that share 3e+03 mm3 were united", 9000.0),
        (50.0, "2 separate", 12000.0),
    ):
        both = np.vstack([vertices, vertices + np.array([shift, 0.0, 0.0])])
        solid = load_mesh(write(tmp_path / "two.obj", both, np.vstack([faces, faces + 8])))
        assert solid.volume_mm3 == pytest.approx(volume) and words in solid.warnings[0]


def test_a_body_inside_out_beside_others_is_turned_and_not_lost(tmp_path, box):
    vertices, faces = box
    for size, shift_mm, volume in ((0.5, 30.0, 6750.0), (1.0, 30.0, 12000.0), (1.5, 30.0, 26250.0), (1.0, 5.0, 9000.0)):
        beside = np.vstack([vertices, size * vertices + np.array([shift_mm, 0.0, 0.0])])
        solid = load_mesh(write(tmp_path / "half.obj", beside, np.vstack([faces, faces[:, ::-1] + 8])))
        assert solid.volume_mm3 == pytest.approx(volume)
        assert any("inside out" in note for note in solid.warnings)
    hollow = np.vstack([vertices, 0.5 * vertices, vertices + np.array([30.0, 0.0, 0.0])])
    both = np.vstack([faces, *(faces[:, ::-1] + first for first in (8, 16))])
    solid = load_mesh(write(tmp_path / "both.obj", hollow, both))
    assert solid.volume_mm3 == pytest.approx(6000.0 * 7 / 8 + 6000.0)


def test_cavities_stay(tmp_path, box):
    vertices, faces = box
    nested = np.vstack([vertices, 0.5 * vertices])
    solid = load_mesh(write(tmp_path / "hollow.obj", nested, np.vstack([faces, faces[:, ::-1] + 8])))
    assert solid.volume_mm3 == pytest.approx(6000.0 * 7 / 8)


def in_unit(unit: bytes, box, folder: Path) -> Path:
    """A 3MF of that box, its numbers said to be in another unit."""
    written, path = export(Solid(_manifold(*box)), folder / "mm.3mf"), folder / "other.3mf"
    with zipfile.ZipFile(written) as archive, zipfile.ZipFile(path, "w") as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name).replace(b'unit="millimeter"', b'unit="%s"' % unit))
    return path


def test_a_unit_that_nobody_knows_is_not_taken_for_mm(tmp_path, box):
    with pytest.raises(MeshError, match=r"other\.3mf: its unit 'furlong' is none that is known"):
        load_mesh(in_unit(b"furlong", box, tmp_path))


def test_units_of_3mf_are_honoured(tmp_path, box):
    assert load_mesh(in_unit(b"inch", box, tmp_path)).volume_mm3 == pytest.approx(6000.0 * 25.4**3, rel=1e-5)


def test_a_tiny_part_is_doubted(tmp_path, box):
    vertices, faces = box
    assert "only 0.03 mm large" in load_mesh(write(tmp_path / "tiny.obj", 1e-3 * vertices, faces)).warnings[0]


def test_what_is_no_mesh_is_refused(tmp_path):
    with pytest.raises(MeshError, match="there is no such file"):
        load_mesh(tmp_path / "none.stl")
    for name, data in (
        ("text.stl", b"hello"),
        ("broken.3mf", b"PK\x03\x04zzzz"),
        ("empty.obj", b""),
        ("part.step", b"x"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(MeshError, match=name):
            load_mesh(path)


def test_nan_corners_are_refused(tmp_path, box):
    vertices, faces = box
    vertices[3, 1] = np.nan
    with pytest.raises(MeshError, match="nan"):
        load_mesh(write(tmp_path / "nan.obj", vertices, faces))


def _manifold(vertices, faces):
    from toughopt.geometry import manifold_from

    return manifold_from(vertices, faces)


def test_binary_stl_is_read_whatever_its_header_says_and_bit_for_bit(tmp_path, box):
    data = bytearray(trimesh.Trimesh(*box, process=False).export(file_type="stl"))
    data[:6] = b"solid "
    path = tmp_path / "box.STL"
    path.write_bytes(bytes(data))
    solid = load_mesh(path)
    assert solid.volume_mm3 == pytest.approx(6000.0) and solid.warnings == ()
    assert solid.triangle_count == 12
    assert np.unique(solid.arrays()[0], axis=0) == pytest.approx(np.unique(box[0], axis=0))


def test_binary_stl_that_is_cut_short_or_holds_no_numbers_is_refused(tmp_path, box):
    data = bytearray(trimesh.Trimesh(*box, process=False).export(file_type="stl"))
    short = tmp_path / "short.stl"
    short.write_bytes(bytes(data[:-30]))
    with pytest.raises(MeshError, match=r"short\.stl: the file ends after 11 of 12 triangles; copy or export it again"):
        load_mesh(short)
    data[96:100] = np.float32(np.nan).tobytes()
    broken = tmp_path / "nan.stl"
    broken.write_bytes(bytes(data))
    with pytest.raises(MeshError, match=r"corner 0 is \[nan"):
        load_mesh(broken)


def test_a_binary_stl_needs_no_other_library(tmp_path, box):
    path = tmp_path / "box.stl"
    path.write_bytes(trimesh.Trimesh(*box, process=False).export(file_type="stl"))
    code = f"import sys, toughopt.geometry as g; g.load_mesh({str(path)!r}); print('trimesh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_format_that_is_not_read_is_named_with_those_that_are(tmp_path):
    path = tmp_path / "part.step"
    path.write_bytes(b"ISO-10303-21;")
    with pytest.raises(MeshError, match=r"\.step is no mesh format .* as STL, 3MF, OBJ, PLY, OFF or GLB"):
        load_mesh(path)


@pytest.mark.parametrize("suffix", ["stl", "3mf", "obj", "ply", "off", "glb"])
def test_no_message_about_a_damaged_file_speaks_of_modules(tmp_path, suffix):
    path = tmp_path / f"noise.{suffix}"
    path.write_bytes(np.random.default_rng(7).bytes(5000))
    with pytest.raises(MeshError) as caught:
        load_mesh(path)
    assert "module" not in str(caught.value).lower() and "again" in str(caught.value)


def test_a_file_in_another_unit_is_scaled(tmp_path, box):
    vertices, faces = box
    path = write(tmp_path / "inches.obj", vertices / 25.4, faces)
    assert load_mesh(path, scale=25.4).volume_mm3 == pytest.approx(6000.0)
    with pytest.raises(MeshError, match="scale = -1"):
        load_mesh(path, scale=-1.0)
