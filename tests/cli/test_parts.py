"""What make, slice, gcode and families answer, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trimesh

Run = Callable[..., tuple[int, str, str]]
Answer = Callable[..., Any]


SHELL = ("make", "cylindrical_shell", "height=10", "mass=1", "c4_top=0.2", "c8_top=0", "chord_error=0.2", "-o")


def test_a_spiral_weighs_what_its_wall_does_and_its_envelope_is_called_so(answer: Answer, tmp_path: Path) -> None:
    made = answer(*SHELL, tmp_path, "-p", "makergear_m3_vase", "thickness=0.86")
    assert (made["mass_g"], made["wall_mm"]) == (1.0, 0.86)
    assert made["envelope_mass_g"] > 2.0 and "volume_mm3" not in made
    assert made["program"]["filament_g"] == pytest.approx(made["mass_g"], rel=0.35)
    assert made["program"]["warnings"] == []
    assert {Path(name) for name in made["files"]} == set(tmp_path.iterdir())


def test_a_wall_that_the_nozzle_cannot_lay_is_told_with_a_profile_that_can(run: Run, tmp_path: Path) -> None:
    code, out, err = run(*SHELL, tmp_path, "-p", "virtual")
    assert code == 0 and out.startswith("1.00 g as designed, a wall of 0.77 mm")
    assert str(tmp_path / "part.json") in out
    assert "lays walls of 0.30 to 0.61 mm: it comes out 0.61 mm thick" in err
    assert "makergear_m3_vase (0.60 to 1.31 mm)" in err
    assert "warning" not in run(*SHELL, tmp_path, "-p", "virtual", "thickness=0.4")[2]


def test_a_spiral_is_laid_as_thick_as_it_was_designed(answer: Answer, tmp_path: Path) -> None:
    for thickness in (0.65, 1.0):
        made = answer(*SHELL, tmp_path, f"thickness={thickness}", "-p", "makergear_m3_vase")
        assert made["program"]["warnings"] == []
        laid_g = made["program"]["filament_g"] * 1.2 / 1.24  # the family's material
        assert laid_g == pytest.approx(1.0, rel=0.07)  # the priming line is part of it
    sliced = answer("slice", tmp_path / "part.3mf", "-o", tmp_path / "x.gcode", "-p", "makergear_m3_vase")
    assert sliced["filament_g"] == pytest.approx(made["program"]["filament_g"], rel=0.01)


def test_slice_knows_the_wall_of_a_3mf_and_says_where_a_profile_does_not_print_it(
    run: Run, answer: Answer, tmp_path: Path
) -> None:
    assert run(*SHELL, tmp_path, "-p", "makergear_m3_vase", "thickness=0.86")[0] == 0

    def warnings(printer: object, suffix: str = "3mf") -> str:
        told = answer("slice", tmp_path / f"part.{suffix}", "-o", tmp_path / "x.gcode", "-p", printer)
        return " ".join(told["warnings"])

    spiral = tmp_path / "spiral.toml"
    spiral.write_text('extends = "virtual"\n[slicing]\nmode = "vase"\n', encoding="utf-8")
    assert "virtual prints it filled" in warnings("virtual") and "makergear_m3_vase" in warnings("virtual")
    assert "spiral lays walls of 0.30 to 0.61 mm" in warnings(spiral)
    assert warnings("makergear_m3_vase") == warnings(spiral, "stl") == ""  # an STL does not tell its wall


def test_slice_takes_a_mesh_in_another_unit_and_says_where_one_looks_like_it(
    run: Run, answer: Answer, tmp_path: Path
) -> None:
    for name, size_mm in (("metres", 0.01), ("huge", 1000.0)):
        trimesh.creation.box((size_mm, size_mm, size_mm)).export(tmp_path / f"{name}.stl")
    to = ("-o", tmp_path / "x.gcode")
    code, _, err = run("slice", tmp_path / "metres.stl", *to)
    assert code == 2 and "if it was drawn in metres, scale it by 1000" in err
    code, _, err = run("slice", tmp_path / "huge.stl", *to)
    assert code == 2 and "1000.0 x 1000.0 mm" in err and "look at its units" in err
    assert answer("slice", tmp_path / "metres.stl", *to, "--scale", 1000)["layers"] == 50
    assert "look at its units" not in run("slice", tmp_path / "huge.stl", *to, "--scale", 0.3)[2]


def test_every_parameter_of_a_family_is_told_with_range_choices_unit_default_and_meaning(
    run: Run, answer: Answer
) -> None:
    entries = answer("families", "crossed_barrel")
    told = {entry["name"]: entry for entry in (*entries["parameters"], *entries["fixed_parameters"])}
    assert set(told) == {"n", "theta", "r", "t", *entries["fixed"]} and all(e["description"] for e in told.values())
    assert (told["r"]["low"], told["r"]["high"], told["r"]["unit"], told["r"]["values"]) == (1.5, 2.5, "mm", None)
    assert (told["density"]["range"], told["density"]["default"]) == ("0.1 to 20 g/cm3", 1.24)
    assert told["senses"]["values"] == ["alternating", "right", "left"]
    code, out, _ = run("families", "strut_lattice")
    assert code == 0 and "box or cylinder" in out and "bcc, fcc, octet or kelvin" in " ".join(out.split())
    assert "2 to 200 mm" in out and "of the material, for masses" in out


def test_the_picture_of_a_spiral_says_that_its_volume_is_what_the_wall_encloses(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str | None] = []
    monkeypatch.setattr("toughopt.geometry.render_preview", lambda solid, path, title: titles.append(title))
    assert run(*SHELL, tmp_path / "shell")[0] == 0
    assert run("make", "crossed_barrel", "height=4", "chord_error=0.2", "-o", tmp_path / "barrel")[0] == 0
    assert titles[0] is not None and "a wall around" in titles[0] and titles[1] is None


def test_a_way_to_print_that_no_profile_knows_is_refused_as_in_a_campaign(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toughopt.families.crossed_barrel import CrossedBarrel

    monkeypatch.setattr(CrossedBarrel, "print_mode", "spiral")
    code, _, err = run("make", "crossed_barrel", "-o", tmp_path / "part")
    assert code == 2 and "how crossed_barrel is printed: mode = 'spiral'" in err
    assert not (tmp_path / "part").exists()
