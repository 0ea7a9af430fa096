"""What the package promises as a whole."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import toughopt
from toughopt.resources import gcode_templates, printer_profiles

ROOT = Path(__file__).parent.parent


def test_the_public_namespace_is_what_all_says() -> None:
    for name in toughopt.__all__:
        assert getattr(toughopt, name) is not None
    assert set(dir(toughopt)) == set(toughopt.__all__)


def test_setup_cfg_lists_every_package_there_is() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = {name for name in config["options"]["packages"].split() if not name.startswith("toughopt.data_")}
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "toughopt").rglob("__init__.py")
        if "__pycache__" not in path.parts
    }
    assert listed == there


def test_data_files_are_found() -> None:
    assert (printer_profiles() / "makergear_m3.toml").is_file()
    assert (gcode_templates() / "marlin" / "start.gcode.j2").is_file()


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, toughopt, toughopt.cli\n"
        "heavy = {'numpy', 'scipy', 'matplotlib', 'sklearn', 'trimesh', 'sqlalchemy', 'pydantic', 'rich'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
