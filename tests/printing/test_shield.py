"""Work that Ctrl-C does not interrupt."""

from __future__ import annotations

import _thread
import threading

import pytest

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


def test_in_another_thread_there_is_nothing_to_shield():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(shielded(threading.current_thread)))
    thread.start()
    thread.join()
    assert seen == [thread]
