"""A disk that fills up while the loop runs: a clear end, cold printers, and a journal that goes on later."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.errors import JournalError, ToughoptError
from toughopt.journal import Artifacts, Stage
from toughopt.loop.lab import Lab
from toughopt.printing import open_printer
from toughopt.virtual.lab import VirtualLab

SECOND = '\n[[printers]]\nname = "printer-2"\nprofile = "virtual_small"\n'


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs to mount a tiny file system")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)], check=False)
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


class Watched:
    """The virtual lab, and what its printers' heaters were set to when the loop let them go."""

    def __init__(self) -> None:
        self.targets_c: list[float] = []

    @contextmanager
    def lab(self, workspace: Any) -> Iterator[Lab]:
        profiles = {name: recipe.profile for name, recipe in workspace.recipes.items()}
        with VirtualLab(profiles, workspace.folder / "lab", workspace.config.seed) as virtual:
            printers = {name: open_printer(name, virtual.url(name), profiles[name]) for name in profiles}
            try:
                yield Lab(printers, virtual.scale, virtual.frame, virtual.handler, virtual.executed_path, virtual.guard)
            finally:
                for printer in printers.values():
                    printer.close()
                self.targets_c = [t for p in virtual.processes.values() for t in p.status()["targets_c"].values()]


def begin(folder: Path, small_text: str) -> Path:
    Campaign.create(folder, small_text.replace('"default"', '"random"') + SECOND).close()
    return folder


def goes_on(folder: Path, known: dict[int, float | None]) -> None:
    """Nothing that was finished is lost, and the campaign comes to its end."""
    with Campaign.open(folder) as campaign:
        campaign.workspace.store.verify()
        campaign.run()
        state = campaign.state
        kept = {d for e in state.experiments.values() for d in (e.mesh, e.program, e.curve, e.path) if d}
        assert campaign.workspace.artifacts.verify(kept) == []
    assert known.items() <= {e.id: e.value for e in state.complete}.items()
    assert len(state.complete) == 5
    assert all(e.ended and (e.reason or e.stage is Stage.COMPLETE) for e in state.experiments.values())


@pytest.mark.parametrize("left_kb", [80, pytest.param(500, marks=pytest.mark.full)])
def test_a_disk_that_fills_up_ends_the_loop_and_loses_nothing(tiny_disk: Path, small_text: str, left_kb: int) -> None:
    folder = begin(tiny_disk / "campaign", small_text)
    ballast, disk = tiny_disk / "ballast", os.statvfs(tiny_disk)
    ballast.write_bytes(b"x" * (disk.f_bavail * disk.f_frsize - 1024 * left_kb))
    watched = Watched()
    with Campaign.open(folder) as campaign, pytest.raises(ToughoptError, match=r"(?i)space|is full"):
        campaign.run(lab=watched.lab)
    assert watched.targets_c and not any(watched.targets_c)
    ballast.unlink()
    with Campaign.open(folder) as campaign:
        known = {e.id: e.value for e in campaign.state.complete}
    goes_on(folder, known)


@pytest.mark.parametrize("puts", [3, pytest.param(6, marks=pytest.mark.full)])
def test_wherever_it_is_noticed_printers_are_left_cold(
    tmp_path: Path, small_text: str, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    """The file system takes so many artifacts, and no more."""
    folder, put, left = begin(tmp_path / "campaign", small_text), Artifacts.put, threading.Semaphore(puts)

    def until_full(self: Artifacts, data: bytes) -> str:
        if not left.acquire(blocking=False):
            raise JournalError(f"{self.folder} cannot be written: no space left; free some space, or permit it")
        return put(self, data)

    watched = Watched()
    with monkeypatch.context() as full, Campaign.open(folder) as campaign:
        full.setattr(Artifacts, "put", until_full)
        with pytest.raises(JournalError, match="free some space"):
            campaign.run(lab=watched.lab)
        assert not campaign.state.conductor, "it has said that it stopped"
        known = {e.id: e.value for e in campaign.state.complete}
    assert watched.targets_c and not any(watched.targets_c)
    goes_on(folder, known)
