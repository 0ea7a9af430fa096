from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toughopt.errors import CampaignBusy
from toughopt.journal import ConductorLock

_HOLDER = """
import sys, time
from pathlib import Path
from toughopt.journal import ConductorLock
lock = ConductorLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_conductor_is_refused_with_who_holds_it_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CampaignBusy, match=f"process {holder.pid} "):
        ConductorLock(tmp_path).acquire()
    os.kill(holder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    holder.wait(timeout=30)
    holder.stdin.close()
    holder.stdout.close()
    with ConductorLock(tmp_path):
        pass


def test_whether_it_is_held_is_told_without_taking_it(tmp_path: Path) -> None:
    lock, seen = ConductorLock(tmp_path), ConductorLock(tmp_path)
    assert not seen.held() and not list(tmp_path.iterdir())
    with lock:
        assert seen.held() and lock.held()
    assert not seen.held()
    with lock:
        pass


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = ConductorLock(tmp_path)
    lock.acquire()
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    lock.release()
    with ConductorLock(tmp_path):
        pass
    assert child.stdin is not None
    child.stdin.close()
    child.wait(timeout=30)
