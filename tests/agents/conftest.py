"""Agents in processes of their own, on virtual printers in processes of theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from toughopt.agents import Exchange

STALE_S = 3.0


class AgentProcess:
    """`toughopt agent`, as a person starts it."""

    def __init__(self, name: str, url: str, machines: dict[str, str], cache: Path) -> None:
        command = [sys.executable, "-m", "toughopt", "agent", name, url, "--stale-s", str(STALE_S)]
        for machine, address in machines.items():
            command += ["--machine", f"{machine}={address},virtual"]
        environment = os.environ | {"XDG_CACHE_HOME": str(cache), "LOCALAPPDATA": str(cache), "OMP_NUM_THREADS": "1"}
        self.said: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            with self._changed:
                self.said.append(line.strip())
                self._changed.notify_all()

    def says(self, words: str, timeout_s: float = 60.0) -> bool:
        """Wait until it has said so."""
        with self._changed:
            return self._changed.wait_for(lambda: any(words in line for line in self.said), timeout_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(10)
        self.process.stderr.close()


@pytest.fixture
def start_agent(postgres_url: str, tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    """Start an agent on the test's database and wait until it serves."""
    made: list[AgentProcess] = []

    def start(name: str, **machines: str) -> AgentProcess:
        agent = AgentProcess(name, postgres_url, machines, tmp_path / "cache" / name)
        made.append(agent)
        assert agent.says("serves"), agent.said
        return agent

    yield start
    for agent in reversed(made):
        agent.close()


@pytest.fixture
def exchange(postgres_url: str, tmp_path: Path) -> Iterator[Exchange]:
    """The campaign's counter, on the conductor's side."""
    from toughopt.agents import open_exchange

    opened = open_exchange(postgres_url, tmp_path / "artifacts")
    yield opened
    opened.close()
