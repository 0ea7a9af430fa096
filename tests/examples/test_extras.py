"""The example package, installed as a third party's would be and used through the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
EXTRAS = ROOT / "examples" / "toughopt-extras"

pytestmark = pytest.mark.full

Toughopt = Callable[..., str]


@pytest.fixture(scope="module")
def toughopt(tmp_path_factory: pytest.TempPathFactory) -> Toughopt:
    """`toughopt("families")` -> its output, with the package installed into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "extras"
    shutil.copytree(EXTRAS, source)  # building leaves files beside the source
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    environment = os.environ | {"PYTHONPATH": str(target), "MPLBACKEND": "Agg"}

    def call(*arguments: object) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "toughopt", *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return call


def test_its_family_is_listed_built_and_sliced(toughopt: Toughopt, tmp_path: Path) -> None:
    assert "tube" in {family["name"] for family in json.loads(toughopt("families", "--json"))}
    made = json.loads(toughopt("make", "tube", "r=8", "t=1.2", "height=6", "-o", tmp_path, "--json"))
    assert made["volume_mm3"] == pytest.approx(np.pi * (8.0**2 - 6.8**2) * 6.0, rel=0.002)
    assert made["program"]["ok"]


def test_its_printer_takes_the_program(toughopt: Toughopt, tmp_path: Path) -> None:
    toughopt("make", "tube", "r=8", "t=1.2", "height=6", "-o", tmp_path / "part")
    card = tmp_path / "card"
    card.mkdir()
    said = toughopt("print", tmp_path / "part" / "part.gcode", "--port", f"folder+{card.as_uri()}")
    assert "printed" in said
    (program,) = card.iterdir()
    assert program.read_bytes() == (tmp_path / "part" / "part.gcode").read_bytes()


def test_its_reader_is_chosen_by_what_the_file_holds(toughopt: Toughopt, tmp_path: Path) -> None:
    x = np.linspace(0.0, 6.0, 1200)
    rows = "\n".join(f"{a:.4f}  {b:.3f}" for a, b in zip(x, np.clip(x - 1.0, 0.0, None) * 100.0, strict=True))
    file = tmp_path / "whatever.csv"
    file.write_text(f"BENCH RIG 2\nspecimen: tube-7\n{rows}\n", encoding="utf-8")
    (found,) = json.loads(toughopt("analyze", file, "--json"))
    assert found["specimen"] == "tube-7"
    assert found["toughness_j"] == pytest.approx(0.5 * 5.0 * 500.0 / 1000.0, rel=0.01)


def test_its_policy_chooses_in_a_campaign_whose_decisions_can_be_derived_again(
    toughopt: Toughopt, tmp_path: Path
) -> None:
    folder = tmp_path / "lab"
    toughopt("new", folder, "--family", "tube", "--policy", "farthest", "--budget", 6)
    designs = json.loads(toughopt("suggest", folder, "-n", 2, "--json"))
    toughopt("tell", folder, 1, "--toughness", 3.0)
    designs += json.loads(toughopt("suggest", folder, "--json"))
    points = np.array([[(d["design"]["r"] - 3.0) / 12.0, (d["design"]["t"] - 0.8) / 2.2] for d in designs])
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    assert min(gaps) > 0.4
    assert all(d["design"]["t"] <= 0.5 * d["design"]["r"] for d in designs)
    assert "0 differ" in toughopt("replay", folder)
