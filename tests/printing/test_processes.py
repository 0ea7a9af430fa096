"""Which process is meant, and whether it lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from toughopt.printing.processes import is_alive, start_time


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


def test_this_process_lives_and_has_always_started_at_the_same_time():
    assert start_time(os.getpid()) is not None
    assert start_time(os.getpid()) == start_time(os.getpid())
    assert is_alive(os.getpid(), start_time(os.getpid()))


def test_another_process_with_the_same_id_is_another(child):
    assert not is_alive(child.pid, "long ago")


def test_a_dead_process_is_dead_even_before_it_is_waited_for(child):
    started = start_time(child.pid)
    assert is_alive(child.pid, started)
    child.kill()
    if sys.platform != "win32":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet waited for
        assert not is_alive(child.pid, started)
    child.wait()
    assert not is_alive(child.pid, started)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_stopped_process_lives(child):
    started = start_time(child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    assert is_alive(child.pid, started)
    os.kill(child.pid, signal.SIGCONT)
