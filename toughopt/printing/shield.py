"""Work that Ctrl-C must not interrupt: it is held back until the work is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread, current_thread, main_thread
from typing import TypeVar

Result = TypeVar("Result")


def shielded(work: Callable[[], Result]) -> Result:
    """The result of `work`, done to its end whatever is pressed meanwhile; a Ctrl-C is raised afterwards.

    Signals reach only the main thread, so there the work is done by another one.
    """
    if current_thread() is not main_thread():
        return work()
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            future.set_exception(error)

    worker = Thread(target=run, name="shielded", daemon=True)
    worker.start()
    interrupted = False
    while worker.is_alive():
        try:
            worker.join(timeout=0.2)
        except KeyboardInterrupt:
            interrupted = True
    result = future.result()
    if interrupted:
        raise KeyboardInterrupt
    return result
