from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from toughopt.loop.telemetry import Reading, Telemetry, readings
from toughopt.printing import PrintEvent


def until(folder: Path, wanted: dict[str, Reading]) -> None:
    """Wait for the readings to be these."""
    deadline = time.monotonic() + 20
    while readings(folder) != wanted:
        assert time.monotonic() < deadline, readings(folder)
        threading.Event().wait(0.01)


def test_the_newest_that_each_printer_said_can_be_read(tmp_path: Path) -> None:
    with Telemetry(tmp_path, every_s=0.0) as telemetry:
        telemetry.see("a", PrintEvent("temperature", {"T": (199.5, 200.0), "B": (60.0, 60.0)}))
        telemetry.see("a", PrintEvent("progress", {"fraction": 0.25, "left_s": 90.0, "lines": 5}))
        telemetry.see("b", PrintEvent("note", {"text": "nothing to keep"}))
        telemetry.see("b", PrintEvent("progress", {"fraction": 0.5, "left_s": float("nan")}))
        a = Reading({"T": (199.5, 200.0), "B": (60.0, 60.0)}, 0.25, 90.0)
        until(tmp_path, {"a": a, "b": Reading({}, 0.5, None)})
    assert readings(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 3}', '{"a": {"temperatures": {"T": ["x", 1]}}}'])
def test_a_damaged_file_is_no_reading(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "machines.json").write_text(text)
    assert all(reading == Reading() for reading in readings(tmp_path).values())


def test_what_was_said_long_ago_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "machines.json").write_text(json.dumps({"a": {"fraction": 0.5}}))
    assert readings(tmp_path)["a"].fraction == 0.5
    assert readings(tmp_path, now=time.time() + 60) == {}


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("in the way")
    telemetry = Telemetry(tmp_path, every_s=0.0)
    telemetry.see("a", PrintEvent("progress", {"fraction": 0.1}))
    telemetry.close()
    assert readings(tmp_path) == {}
