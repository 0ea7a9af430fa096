"""The same results wherever pure work is done, and none lost with a worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pytest

from toughopt.errors import ConfigError, DeviceError, InputError, RunFailed, UnknownName
from toughopt.executor import SerialExecutor, completed, open_executor


def decomposed(seed: int) -> list[float]:
    """Something whose last bits depend on how many threads add it up."""
    matrix = np.random.default_rng(seed).standard_normal((120, 120))
    return np.linalg.svd(matrix @ matrix.T, compute_uv=False).tolist()


def refused(name: str) -> None:
    raise UnknownName("policy", name, ["random"])


def killed(folder: str, number: int) -> int:
    """Ends its process the first time that it is called with 3."""
    mark = Path(folder) / "killed"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return number * number


def threads() -> int:
    from threadpoolctl import threadpool_info

    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, need) -> Iterator[str]:
    """A Dask scheduler with two workers, each a process of its own that is started again when it dies."""
    from importlib.util import find_spec

    need("dask", find_spec("distributed") is not None)
    folder = tmp_path_factory.mktemp("dask")
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "DASK_DISTRIBUTED__ADMIN__EVENT_LOOP": "asyncio",
    }
    running = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment)
        running.append(process)
        return process

    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    try:
        address = next(
            found[1] for line in scheduler.stderr if (found := re.search(r"Scheduler at:\s+(tcp://\S+)", line))
        )
        threading.Thread(target=scheduler.stderr.read, daemon=True).start()
        options = ("--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
        workers = start("dask_worker", address, *options)
        threading.Thread(target=workers.stderr.read, daemon=True).start()
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(20)
            process.stderr.close()


def test_calls_are_done_in_turn_in_this_process() -> None:
    done = []
    with open_executor("serial") as executor:
        results = list(completed(executor, lambda n: done.append(n) or n, ((n,) for n in range(5))))
    assert results == [(n, n) for n in range(5)]
    assert done == list(range(5))


def test_serial_calls_are_drawn_one_at_a_time_so_that_progress_is_seen() -> None:
    drawn: list[int] = []

    def calls() -> Iterator[tuple[int]]:
        for n in range(3):
            drawn.append(n)
            yield (n,)

    with open_executor("serial") as executor:
        for index, _ in completed(executor, lambda n: n, calls()):
            assert drawn == list(range(index + 1))


def test_an_exception_comes_out_as_it_went_in_and_ends_the_rest() -> None:
    calls = []

    def fails(n: int) -> None:
        calls.append(n)
        raise InputError("no good")

    with pytest.raises(InputError, match="no good"), open_executor("serial") as executor:
        list(completed(executor, fails, ((n,) for n in range(5))))
    assert calls == [0]


def test_processes_give_the_same_to_the_last_bit_and_use_one_thread() -> None:
    calls = [(seed,) for seed in range(6)]
    with open_executor("serial") as executor:
        alone = dict(completed(executor, decomposed, calls))
        assert executor.submit(threads).result() == 1
    with open_executor("processes", workers=2) as executor:
        assert dict(completed(executor, decomposed, calls)) == alone
        assert executor.submit(threads).result() == 1
        with pytest.raises(UnknownName, match="did you mean random"):
            list(completed(executor, refused, [("randm",)]))


def test_a_killed_process_is_told_with_what_to_do(tmp_path: Path) -> None:
    with open_executor("processes", workers=1) as executor, pytest.raises(RunFailed, match="fewer workers") as told:
        list(completed(executor, killed, [(str(tmp_path), n) for n in range(5)]))
    assert isinstance(told.value.__cause__, BrokenExecutor)


def test_an_unknown_executor_is_told() -> None:
    with pytest.raises(ConfigError, match=r"tcp://host:port"):
        open_executor("cluster")


def test_dask_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'toughopt\[distributed\]'"):
        open_executor("tcp://127.0.0.1:1")


def test_nothing_of_dask_is_imported_without_it() -> None:
    code = "import sys, toughopt.executor as e; e.open_executor('serial'); sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.full
def test_a_scheduler_that_does_not_answer_is_told(need, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    need("dask", find_spec("distributed") is not None)
    monkeypatch.setattr("toughopt.executor._CONNECT_S", 0.5)
    with pytest.raises(DeviceError, match="dask scheduler"):
        open_executor("tcp://127.0.0.1:1")


@pytest.mark.full
def test_dask_gives_the_same_to_the_last_bit(cluster: str) -> None:
    calls = [(seed,) for seed in range(6)]
    with open_executor(cluster) as executor:
        assert not isinstance(executor, SerialExecutor)
        found = dict(completed(executor, decomposed, calls))
        assert executor.submit(threads).result() == 1
        with pytest.raises(UnknownName, match="did you mean random"):
            list(completed(executor, refused, [("randm",)]))
    with open_executor("serial") as executor:
        assert found == dict(completed(executor, decomposed, calls))


@pytest.mark.full
def test_nothing_is_lost_with_a_dask_worker(cluster: str, tmp_path: Path) -> None:
    with open_executor(cluster) as executor:
        found = dict(completed(executor, killed, [(str(tmp_path), n) for n in range(40)]))
    assert (tmp_path / "killed").exists()
    assert found == {n: n * n for n in range(40)}


@pytest.mark.full
def test_a_backtest_on_dask_is_the_one_in_process(cluster: str) -> None:
    from toughopt.replay import Rules, play_all, pooled

    designs = [{"x": i / 10, "y": j / 5} for i in range(10) for j in range(5)]
    pool = pooled(designs, [float(np.sin(3 * d["x"]) * np.cos(d["y"])) for d in designs], "j")
    rules = Rules(initial=4, budget=9)
    alone = play_all(pool, ["default", "random"], [1, 2], rules, workers=1)
    spread = play_all(pool, ["default", "random"], [1, 2], rules, dask=cluster)
    for policy, games in alone.items():
        assert [(g.order, g.best_so_far) for g in spread[policy]] == [(g.order, g.best_so_far) for g in games]
