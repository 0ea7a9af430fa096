"""Helpers of the tests of frames, scales and hands."""

from __future__ import annotations

import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from toughopt.frames import FrameGuard


class Alarms(list[str]):
    """Collects what a person would have heard."""

    def __call__(self, message: str) -> None:
        self.append(message)


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def guard(alarms: Alarms) -> FrameGuard:
    """A guard over a plate on which specimen A lies, and whose person always says yes."""
    made = FrameGuard(confirm=lambda question: True, alarm=alarms)
    made.place("A")
    return made


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """Makes a Python program of a body that sees `request` and fills `answer`; gives its command."""

    def make(body: str) -> tuple[str, ...]:
        path = tmp_path / f"program_{len(list(tmp_path.glob('program_*')))}.py"
        text = (
            "import json, sys, pathlib, time\n"
            "request = json.load(sys.stdin)\n"
            "answer = {'ok': True}\n"
            f"{textwrap.dedent(body)}\n"
            "print(json.dumps(answer))\n"
        )
        path.write_text(text, encoding="utf-8")
        return (sys.executable, "-S", str(path))

    return make


@pytest.fixture
def in_background() -> Callable[[Callable[[], object]], threading.Thread]:
    """Runs a function on a thread that is waited for at the end of the test."""
    threads: list[threading.Thread] = []

    def start(work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(timeout=10.0)
        assert not thread.is_alive()
