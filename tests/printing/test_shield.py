"""Work that Ctrl-C does not interrupt."""

from __future__ import annotations

import _thread
import signal
import sys
import threading

import pytest

from toughopt.printing import ended_like_ctrl_c
from toughopt.printing.shield import shielded


def test_it_hands_on_results_and_errors():
    assert shielded(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        shielded(lambda: 1 / 0)


def test_ctrl_c_comes_after_the_work():
    done = []
    started = threading.Event()

    def work():
        started.set()
        _thread.interrupt_main()
        threading.Event().wait(0.5)
        done.append(True)

    with pytest.raises(KeyboardInterrupt):
        shielded(work)
    assert started.is_set()
    assert done == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_what_else_ends_a_program_comes_after_the_work_too(name):
    done = []

    def work():
        signal.raise_signal(getattr(signal, name))
        done.append(True)

    with ended_like_ctrl_c(), pytest.raises(KeyboardInterrupt):
        shielded(work)
    assert done == [True]


def test_in_another_thread_there_is_nothing_to_shield():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(shielded(threading.current_thread)))
    thread.start()
    thread.join()
    assert seen == [thread]
