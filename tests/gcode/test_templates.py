from __future__ import annotations

import re
from pathlib import Path

import pytest

from toughopt.errors import ConfigError, UnknownName
from toughopt.gcode import TemplateFolder
from toughopt.gcode.templates import NAMES
from toughopt.gcode.variables import variables_for
from toughopt.profiles import PrinterProfile
from toughopt.resources import gcode_templates

PART = ((100.0, 90.0, 0.0), (140.0, 120.0, 20.0))
CHANGES = {
    "layer_index": 1, "layer_z_mm": 0.4, "this_layer_height_mm": 0.2, "tool_change": "",
    "previous_tool": 0, "next_tool": 1,
}  # fmt: skip
FIRMWARES = ("marlin", "klipper", "reprapfirmware")


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nozzles", [1, 2])
def test_every_shipped_template_renders(firmware: str, name: str, nozzles: int) -> None:
    profile = PrinterProfile.model_validate(
        {"name": "m", "firmware": firmware, "templates": firmware, "nozzles": [{}] * nozzles, "tool": nozzles - 1}
    )
    lines = TemplateFolder(firmware, firmware).render(name, variables_for(profile, PART, 100) | CHANGES)
    assert all("{{" not in line and line.strip() for line in lines)
    if name != "layer_change":
        assert lines


def test_every_variable_is_documented_and_no_other() -> None:
    readme = (gcode_templates() / "README.md").read_text(encoding="utf-8")
    documented = set()
    for row in re.findall(r"^\|([^|]+)\|", readme, re.MULTILINE):
        documented |= {name for name in re.findall(r"`(\w+)`", row) if ".gcode" not in name}
    known = set(variables_for(PrinterProfile(name="m"), PART, 100)) | set(CHANGES)
    assert documented == known


def own_folder(tmp_path: Path, text: str, name: str = "start") -> Path:
    folder = tmp_path / "templates" / "marlin"
    folder.mkdir(parents=True)
    (folder / f"{name}.gcode.j2").write_text(text, encoding="utf-8")
    return folder.parent


def test_an_own_folder_comes_first_and_needs_only_what_differs(tmp_path: Path) -> None:
    folder = TemplateFolder("marlin", "marlin", own_folder(tmp_path, "G28 ; mine\n"))
    assert folder.render("start", {}) == ("G28 ; mine",)
    assert any("M84" in line for line in folder.render("end", variables_for(PrinterProfile(name="m"), PART, 1)))


def test_a_machines_folder_falls_back_on_its_firmware(tmp_path: Path) -> None:
    (tmp_path / "my_machine").mkdir()
    (tmp_path / "my_machine" / "end.gcode.j2").write_text("M84\n", encoding="utf-8")
    folder = TemplateFolder("my_machine", "klipper", tmp_path)
    assert folder.render("end", {}) == ("M84",)
    start = folder.render("start", variables_for(PrinterProfile(name="m"), PART, 1) | CHANGES)
    assert any(line.startswith("SET_VELOCITY_LIMIT") for line in start)


def test_an_unknown_variable_names_template_line_and_the_nearest(tmp_path: Path) -> None:
    folder = TemplateFolder("marlin", "marlin", own_folder(tmp_path, "G28\n\nM104 S{{ nozle_c }}\n"))
    with pytest.raises(ConfigError) as error:
        folder.render("start", variables_for(PrinterProfile(name="m"), PART, 1))
    said = str(error.value)
    assert "marlin/start.gcode.j2" in said
    assert "line 3" in said
    assert "'nozle_c'" in said
    assert "nozzle_c" in said.split("nearest")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("G28\n{% if %}\n", "line 2"),
        ("G28\n{{ bed_c / 0 }}\n", "line 2"),
        ("G28\n{{ ''.__class__.__mro__ }}\n", "line 2"),
        ("G28\n{{ bed_c + 'x' }}\n", "line 2"),
        ("M117 " + "x" * 90 + "\n", "95 characters|characters"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(tmp_path: Path, text: str, said: str) -> None:
    folder = TemplateFolder("marlin", "marlin", own_folder(tmp_path, text))
    with pytest.raises(ConfigError, match=said) as error:
        folder.render("start", variables_for(PrinterProfile(name="m"), PART, 1))
    assert "marlin/start.gcode.j2" in str(error.value)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UnknownName, match="did you mean marlin"):
        TemplateFolder("merlin", "marlin")
    with pytest.raises(UnknownName, match="did you mean start"):
        TemplateFolder("marlin", "marlin").render("stort", {})
