"""Families of other packages come in through an entry point."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from toughopt.errors import ConfigError, DesignError, ExtensionError, UnknownName
from toughopt.families import available_families, family

TUBE = """
import numpy as np
from manifold3d import Manifold
from toughopt.families import Fault, Parameter, family_from_function
from toughopt.geometry import Solid

def tube(d):
    "A plain tube."
    return Solid(Manifold.cylinder(d["height"], d["r"]) - Manifold.cylinder(d["height"], d["r"] - d["t"]))

Tube = family_from_function(
    tube, name="tube",
    chosen=[Parameter("r", "real", 5.0, 15.0, unit="mm"), Parameter("t", "real", 0.8, 8.0, unit="mm")],
    settled=[Parameter("height", "real", 5.0, 50.0, default=20.0, unit="mm")],
    features={"volume_mm3": lambda c: np.pi * c["height"] * (c["r"] ** 2 - (c["r"] - c["t"]) ** 2)},
    faults=lambda c: [Fault(c["t"] >= c["r"], lambda d: f"t = {d['t']:g} mm fills the tube; choose less than r")],
)
def made(build, name, **rest):
    r, height = Parameter("r", "real", 5.0, 15.0), Parameter("height", "real", 5.0, 50.0)
    return family_from_function(build, name=name, chosen=[r], settled=[height], **rest)

def rod(d): return Solid(Manifold.cylinder(d["height"], d["r"]))
Bare = made(lambda d: Manifold.cylinder(d["height"], d["r"]), "bare")
Sunk = made(lambda d: Solid(Manifold.cylinder(d["height"], d["r"], center=True)), "sunk")
Raises = made(lambda d: rod(d).nothing, "raises")
Odd = made(rod, "odd", faults=lambda c: [c["r"] > 9.0])
Long = made(rod, "long", faults=lambda c: [Fault(np.ones(7, dtype=bool), str)])
Deep = made(rod, "deep", features={"x": lambda c: np.ones((3, 2))})
broken = 3
def unlicensed(**fixed): raise RuntimeError("no licence server")
def wrong(**fixed): return object()
"""


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package on the path, with families of its own."""
    (tmp_path / "lab_structures.py").write_text(TUBE)
    info = tmp_path / "lab_structures-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab_structures\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[toughopt.families]\ntube = lab_structures:Tube\nbroken = lab_structures:broken\n"
        "gone = lab_structures:Gone\nwrong = lab_structures:wrong\nunlicensed = lab_structures:unlicensed\n"
        + "".join(
            f"{name.lower()} = lab_structures:{name}\n" for name in ("Bare", "Sunk", "Raises", "Odd", "Long", "Deep")
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("lab_structures", None)


def test_a_users_function_becomes_a_family(packaged):
    assert "tube" in available_families()
    tube = family("tube", height=10.0)
    solid = tube.solid({"r": 10.0, "t": 2.0})
    assert solid.bounds_mm[1, 2] == pytest.approx(10.0)
    assert solid.metadata["family"] == "tube"
    columns = {"r": np.array([10.0, 6.0]), "t": np.array([2.0, 7.0])}
    assert tube.is_valid(columns).tolist() == [True, False]
    assert "t = 7 mm fills the tube" in tube.reasons(columns)[1]
    assert tube.features(columns)[0, 0] == pytest.approx(np.pi * 10 * 36)
    with pytest.raises(DesignError, match="fills the tube"):
        tube.solid({"r": 6.0, "t": 7.0})


@pytest.mark.parametrize("name", ["broken", "gone", "wrong", "unlicensed"])
def test_a_family_that_cannot_be_used_says_whose_it_is(packaged, name):
    with pytest.raises(ConfigError, match=f"'{name}' .lab_structures:.* of the package lab.structures"):
        family(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bare", "built a Manifold from .*; return a toughopt.geometry.Solid"),
        ("sunk", "from z = -2.5 mm on; a part stands on z = 0"),
        ("raises", "cannot build {'r': 6.0}: AttributeError: .*lab_structures.py, line"),
        ("odd", r"faults gave a ndarray, not a Fault"),
        ("long", r"bad has shape \(7,\) for 1 designs"),
        ("deep", r"feature 'x' has shape \(3, 2\) for 1 designs"),
    ],
)
def test_what_a_family_does_wrong_is_told_as_its_own(packaged, name, why):
    made = family(name)
    with pytest.raises(ExtensionError, match=f"family '{name}' .lab_structures.*{why}"):
        made.features({"r": np.array([6.0])}) if name == "deep" else made.solid({"r": 6.0})


def test_as_many_features_are_described_as_are_named(packaged):
    tube = family("tube")
    type(tube).feature_names, before = ("volume_mm3", "never_told"), type(tube).feature_names
    try:
        with pytest.raises(ExtensionError, match="describes 1 features; feature_names has 2"):
            tube.features({"r": np.array([10.0]), "t": np.array([2.0])})
    finally:
        type(tube).feature_names = before


def test_a_misspelt_name_finds_its_nearest():
    with pytest.raises(UnknownName, match="did you mean crossed_barrel"):
        family("crossed_barel")


def test_importing_families_loads_no_heavy_library():
    code = """
import sys, toughopt.families
print([name for name in ("trimesh", "scipy", "matplotlib", "manifold3d") if name in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["crossed_barel", None, 3])
def test_a_name_that_no_family_has_is_told_with_those_that_there_are(name):
    with pytest.raises(UnknownName, match="crossed_barrel"):
        family(name)
