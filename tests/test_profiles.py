"""Printer profiles: those that are shipped, inheritance, and what their errors say."""

from __future__ import annotations

import pytest

from toughopt.errors import ConfigError, UnknownName
from toughopt.profiles import available_profiles, load_profile, with_slicing

SHIPPED = (
    "ender3",
    "klipper_generic",
    "makergear_m3",
    "makergear_m3_vase",
    "makergear_m3_wide",
    "marlin_generic",
    "prusa_mk3s",
    "prusa_mk4",
    "reprapfirmware_generic",
    "virtual",
    "virtual_small",
    "voron",
)


@pytest.fixture
def write(tmp_path):
    def _write(name, text):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_loads_and_has_a_title(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.title


def test_no_profile_is_shipped_unnoticed():
    assert set(available_profiles()) == set(SHIPPED)


def test_the_virtual_printer_is_what_the_documentation_says():
    profile = load_profile("virtual")
    assert profile.bed.size_mm == (250.0, 210.0)
    assert profile.bed.height_mm == 200.0
    assert profile.nozzle.diameter_mm == 0.4
    assert profile.slicing.layer_height_mm == 0.2
    assert profile.filament.diameter_mm == 1.75
    assert profile.filament.flow == 1.0


def test_the_shell_profile_says_what_was_published():
    profile = load_profile("makergear_m3_vase")
    assert profile.slicing.mode == "vase"
    assert (profile.slicing.first_layer_height_mm, profile.slicing.layer_height_mm) == (0.3, 0.2)
    assert (profile.nozzle.diameter_mm, profile.nozzle.line_width_mm) == (0.75, 0.9)
    assert profile.speeds.external_perimeter == 15.0
    assert profile.filament.bed_c == 80.0


def test_extends_takes_over_what_is_not_said(write, tmp_path):
    write("mine", 'extends = "prusa_mk3s"\n[filament]\nbed_c = 75.0\n')
    mine, parent = load_profile("mine", tmp_path), load_profile("prusa_mk3s")
    assert mine.name == "mine"
    assert mine.filament.bed_c == 75.0
    assert mine.filament.nozzle_c == parent.filament.nozzle_c
    assert mine.motion == parent.motion


def test_a_file_of_ones_own_comes_before_the_shipped_one(write, tmp_path):
    write("virtual", 'title = "my own"\n')
    assert load_profile("virtual", tmp_path).title == "my own"


def test_a_profile_that_extends_itself_is_refused(write, tmp_path):
    write("a", 'extends = "b"\n')
    write("b", 'extends = "a"\n')
    with pytest.raises(ConfigError, match=r"circle: .*a -> b"):
        load_profile("a", tmp_path)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match="prusa_mk3s"):
        load_profile("prusa_mk3")


def test_a_misspelt_key_is_named_with_its_file_value_and_the_nearest_key(write):
    path = write("mine", "[slicing]\nlayer_hight_mm = 0.25\n")
    with pytest.raises(ConfigError) as caught:
        load_profile(str(path))
    message = str(caught.value)
    for part in (str(path), "slicing.layer_hight_mm", "0.25", "did you mean 'layer_height_mm'?"):
        assert part in message


def test_a_misspelt_key_of_a_nozzle_is_named_with_its_place(write):
    path = write("mine", "[[nozzles]]\ndiameter_mm = 0.4\n[[nozzles]]\ndiametre_mm = 0.6\n")
    with pytest.raises(ConfigError, match=r"nozzles\[1\]\.diametre_mm.*did you mean 'diameter_mm'"):
        load_profile(str(path))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[bed]\nheight_mm = -3\n", ("bed.height_mm", "-3", "greater than 0")),
        ("[bed]\nheight_mm = nan\n", ("bed.height_mm", "nan")),
        ("[bed]\nshape = 'square'\n", ("bed.shape", "'square'", "'rectangle'", "'circle'")),
        ("[slicing]\nperimeters = 0\n", ("slicing.perimeters", "0", "greater than or equal to 1")),
        ("tool = 1\n", ("tool = 1", "1 nozzles")),
        ("[[nozzles]]\nline_width_mm = 0.8\n", ("nozzles[0]", "0.8", "0.65")),
        ("[slicing]\nlayer_height_mm = 0.4\n", ("0.4", "line_width_min_mm = 0.34")),
        ("[[nozzles]]\ndiameter_mm = 0.15\n", ("layers of 0.2 mm", "diameter_mm = 0.15")),
        ("[filament]\nnozzle_c = 300\n", ("300", "limits.max_nozzle_c = 260")),
        ("[filament]\nbed_c = 120\n", ("filament.bed_c = 120", "limits.max_bed_c = 110")),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(write, text, parts):
    path = write("mine", text)
    with pytest.raises(ConfigError) as caught:
        load_profile(str(path))
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_a_fault_is_told_with_its_line_and_in_the_file_that_has_it(write, tmp_path):
    write("base", "title = 'x'\n[bed]\nheight_mm = -3\n")
    mine = write("mine", "extends = 'base'\n[slicing]\nlayer_hight_mm = 0.25\n")
    with pytest.raises(ConfigError) as caught:
        load_profile("mine", tmp_path)
    assert f"{mine}, line 3: slicing.layer_hight_mm" in str(caught.value)
    assert f"{tmp_path / 'base.toml'}, line 3: bed.height_mm" in str(caught.value)


def test_what_is_not_toml_is_refused_with_its_place(write):
    path = write("mine", "bed = [\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_profile(str(path))


def test_other_settings_of_the_slicing_obey_all_that_is_asked_of_profiles():
    profile = load_profile("virtual")
    assert with_slicing(profile, {"mode": "solid"}, "here:") is profile
    assert with_slicing(profile, {"mode": "vase"}, "here:").slicing.mode == "vase"
    with pytest.raises(UnknownName, match="key of here: called 'layer'"):
        with_slicing(profile, {"layer": 0.2}, "here:")
    with pytest.raises(ConfigError, match="here: mode = 'spiral'"):
        with_slicing(profile, {"mode": "spiral"}, "here:")
    with pytest.raises(ConfigError, match=r"here: with the profile 'virtual': layers of 0\.4 mm"):
        with_slicing(profile, {"layer_height_mm": 0.4}, "here:")
