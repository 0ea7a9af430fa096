"""The wheel and the source distribution: built, installed into a fresh environment, and used there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.full

SMALL = """\
budget = 3
optimizer = { initial = 2 }
slicing = { overrides = { layer_height_mm = 0.3, first_layer_height_mm = 0.3 } }

[family]
fixed = { height = 6.0, platform_thickness = 0.6 }
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel, built from the source distribution, and the source distribution."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "toughopt"
    names = ["toughopt", "printers", "gcode_templates", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]
    source.mkdir()
    for name in names:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(place, source / name)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def fresh(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that holds the wheel and nothing else but what it asks for."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    install = [scripts / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", built[0]]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return scripts


def _run(scripts: Path, folder: Path, *arguments: object) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "MPLBACKEND": "Agg"}
    command = [scripts / "toughopt", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_code_profiles_templates_and_types(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[0]).namelist())
    for folder, package in (
        ("printers", "toughopt/data_printers"),
        ("gcode_templates", "toughopt/data_gcode_templates"),
    ):
        files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".toml", ".j2")]
        missing = {f"{package}/{path.relative_to(ROOT / folder).as_posix()}" for path in files} - names
        assert not missing
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "toughopt").rglob("*.py")}
    assert not code - names
    other = [path for path in (ROOT / "toughopt").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not {path.relative_to(ROOT).as_posix() for path in other} - names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]


def test_the_source_distribution_can_be_built_from(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "printers/virtual.toml"} <= names


def test_what_was_installed_names_its_commands_and_is_complete(fresh: Path, tmp_path: Path) -> None:
    assert "virtual-printer" in _run(fresh, tmp_path, "--help")
    assert "makergear_m3" in _run(fresh, tmp_path, "printers", "--json")
    assert '"fit": true' in _run(fresh, tmp_path, "doctor", "--json")
    done = subprocess.run([fresh / "python", "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_campaign_runs_from_the_wheel_alone(fresh: Path, tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    folder.mkdir()
    (folder / "campaign.toml").write_text(SMALL, encoding="utf-8")
    answer = _run(fresh, tmp_path, "run", folder, "--json")
    assert '"complete": 3' in answer
    assert list((folder / "exports").glob("*.png"))
    assert "0 differ" in _run(fresh, tmp_path, "replay", folder)
