"""Where pure work is done: in this process, in others on this PC, or on a Dask cluster; the results are the same.

Never for hardware: a call may be done twice where the worker that had it died.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
)
from concurrent.futures import wait as wait_for
from importlib import import_module
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

from toughopt.errors import ConfigError, DeviceError, RunFailed
from toughopt.threads import one_thread, one_thread_from_now_on

P = ParamSpec("P")
T = TypeVar("T")

_CLUSTERS = ("tcp://", "tls://", "ws://", "wss://", "ucx://")
_AHEAD = 256  # calls handed to an executor before their turn
_CONNECT_S = 15.0


def open_executor(spec: str = "processes", *, workers: int | None = None) -> Executor:
    """An executor by name; leave it through `with`, or `shutdown`.

    Numerical libraries use one thread in each call, so that calls do not fight over the cores, and so that what comes
    out does not depend on where it was done.

    Parameters
    ----------
    spec : ``"serial"`` (in this process, each call when it is submitted), ``"processes"`` (on this PC), or the address
        of a Dask scheduler, ``"tcp://host:port"``
    workers : how many processes; one a core where it is not given

    Raises
    ------
    ConfigError
        If there is no such executor, or Dask is not installed, or the workers there run another toughopt.
    DeviceError
        If no scheduler or no worker answers at that address.
    """
    if spec == "serial":
        return SerialExecutor()
    if spec == "processes":
        context = multiprocessing.get_context("spawn")  # the same on every system, and safe beside threads
        return ProcessPoolExecutor(workers or os.cpu_count() or 1, mp_context=context, initializer=_settle_in)
    if spec.startswith(_CLUSTERS):
        return _DaskExecutor(spec)
    raise ConfigError(f"there is no executor {spec!r}; serial, processes, or a Dask scheduler's tcp://host:port")


def completed(
    executor: Executor, function: Callable[..., T], calls: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[int, T]]:
    """(index, result) of each call, as they are done; the first that raises ends them all.

    `calls` holds the arguments of each call, and is drawn from as it goes. Function and arguments must be picklable.

    Raises
    ------
    RunFailed
        If worker processes died under the same call time and again, or the cluster is gone.
    """
    todo = enumerate(calls)
    ahead = 1 if isinstance(executor, SerialExecutor) else _AHEAD
    under_way: dict[Future[T], int] = {}
    try:
        while True:
            while len(under_way) < ahead and (call := next(todo, None)) is not None:
                under_way[executor.submit(function, *call[1])] = call[0]
            if not under_way:
                return
            for future in wait_for(under_way, return_when=FIRST_COMPLETED).done:
                index = under_way.pop(future)
                yield index, future.result()
    except _lost() as error:
        raise RunFailed(
            f"a worker ended before its work was done ({type(error).__name__}: {error}); where memory is short, "
            "use fewer workers"
        ) from error
    finally:
        for future in under_way:
            future.cancel()


class SerialExecutor(Executor):
    """Does each call in the thread that submits it, at once: for one core, for debugging, and to compare with."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`; the future is done when it returns."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            with one_thread():
                answer = fn(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is whoever asks for the result that has to deal with it
            future.set_exception(error)
        else:
            future.set_result(answer)
        return future


class _DaskExecutor(Executor):
    """The workers of a Dask scheduler. Calls of a worker that dies are done by another."""

    def __init__(self, address: str) -> None:
        self._client = _connected(address)
        self._inner = self._client.get_executor(pure=False)
        self._futures: WeakSet[Future[Any]] = WeakSet()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`."""
        call = pickle.dumps((fn, args, kwargs))  # as bytes, because Dask would search large arguments for its own tasks
        future: Future[T] = self._inner.submit(_called, call)
        self._futures.add(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `concurrent.futures.Executor.shutdown`; without waiting, what is not done yet is cancelled."""
        under_way = [future for future in self._futures if not future.done()]
        if cancel_futures or not wait:
            for future in under_way:
                future.cancel()
        else:
            wait_for(under_way)
        self._client.close()


def _connected(address: str) -> Any:
    try:
        dask = import_module("distributed")
    except ModuleNotFoundError as error:
        raise ConfigError(f"{address} needs Dask: pip install 'toughopt[distributed]'") from error
    try:
        client = dask.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise DeviceError(
            f"no Dask scheduler answers at {address}: {error}; start one there with `dask scheduler`"
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError as error:
            raise DeviceError(
                f"the Dask scheduler at {address} has no workers; start some with `dask worker {address} --nthreads 1`"
            ) from error
        _compare_versions(client, address)
    except BaseException:
        client.close()
        raise
    return client


def _compare_versions(client: Any, address: str) -> None:
    ours = _version("")
    for worker, theirs in client.run(_version, "not there").items():
        if theirs != ours:
            raise ConfigError(
                f"the Dask worker {worker} of {address} has toughopt {theirs}, here it is {ours}; install the same "
                "version there, so that results do not depend on where they are worked out"
            )


def _version(absent: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("toughopt")
    except PackageNotFoundError:
        return absent


def _lost() -> tuple[type[BaseException], ...]:
    """What an executor raises for work that its workers took with them."""
    dask = sys.modules.get("distributed")
    return (BrokenExecutor, CancelledError) if dask is None else (BrokenExecutor, CancelledError, dask.KilledWorker)


def _called(call: bytes) -> Any:
    one_thread_from_now_on()
    function, args, kwargs = pickle.loads(call)
    return function(*args, **kwargs)


def _settle_in() -> None:
    """In a new worker process: Ctrl-C ends it without a word, and numerics use one thread."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    one_thread_from_now_on()
