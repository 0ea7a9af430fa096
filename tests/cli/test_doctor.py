"""What `toughopt doctor` says of this computer, and of computers that lack something."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from toughopt.cli import examination, main
from toughopt.errors import JournalError


def test_this_computer_is_fit_and_nothing_is_left_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--folder", str(tmp_path), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert code == (0 if answer["fit"] else 1)
    levels = {finding["what"]: finding["level"] for finding in answer["findings"]}
    assert levels["python"] == levels["packages"] == levels["disk"] == levels["journal"] == "ok"
    assert {"toughopt", "system", "display", "clock"} <= levels.keys()
    assert not list(tmp_path.iterdir())


def test_what_is_missing_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "find_spec", lambda name: None)
    assert all(finding.remedy for finding in examination.optional_parts() if finding.what != "prusa-slicer")


def test_a_package_that_is_too_old_or_not_there_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "click":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "numpy" else "99"

    monkeypatch.setattr(examination, "version", version)
    (found,) = examination.packages()
    assert found.level == "bad"
    assert "numpy>=1.26 (it is 0.1)" in found.found and "(not there)" in found.found


@pytest.mark.skipif(os.name != "posix", reason="Windows has no rights on ports")
def test_a_port_that_this_user_may_not_open_names_the_group_to_join(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    port = SimpleNamespace(device=str(device), description="a board")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [port])
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (found,) = examination.ports()
    assert found.level == "bad" and "usermod -aG" in found.remedy


def test_on_windows_a_port_is_just_named(monkeypatch: pytest.MonkeyPatch) -> None:
    port = SimpleNamespace(device="COM3", description="USB serial")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [port])
    monkeypatch.setattr(examination, "os", SimpleNamespace(name="nt"))
    (found,) = examination.ports()
    assert (found.what, found.level) == ("port COM3", "ok")


def test_without_ports_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    (found,) = examination.ports()
    assert found.level == "note" and "plug" in found.found


def test_a_program_that_grabs_ports_is_named(tmp_path: Path) -> None:
    (tmp_path / "12").mkdir()
    (tmp_path / "12" / "comm").write_text("ModemManager\n")
    (found,) = examination.port_grabbers(tmp_path)
    assert found.what == "ModemManager" and found.remedy
    assert not list(examination.port_grabbers(tmp_path / "no-proc-here"))


def test_a_folder_that_cannot_hold_a_journal_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(path: Path, *, create: bool) -> None:
        raise JournalError(f"{path} lies on a network file system (nfs4)")

    monkeypatch.setattr("toughopt.journal.open_sqlite", refused)
    found = examination.journal(tmp_path)
    assert found.level == "bad" and "network file system (nfs4)" in found.found


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(examination.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2e8))
    assert examination.disk(tmp_path).level == "bad"


@pytest.mark.parametrize(("off_by_s", "level"), [(0.0, "ok"), (7200.0, "note"), (-2e9, "bad")])
def test_a_clock_that_is_off_is_told(tmp_path: Path, off_by_s: float, level: str) -> None:
    import time

    assert examination.clock(tmp_path, time.time() + off_by_s).level == level
