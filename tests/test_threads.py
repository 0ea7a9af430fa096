"""Numerical libraries use one thread where they are told to, and all of theirs again afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from toughopt.optimizer import Optimizer, Space
from toughopt.threads import one_thread


def most_threads() -> int:
    """The largest number of threads that a loaded library of linear algebra may use."""
    return max(int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas")


def test_one_thread_within_and_as_before_afterwards() -> None:
    import scipy.linalg  # noqa: F401  loads its library

    with threadpool_limits(limits=2):
        with one_thread():
            assert most_threads() == 1
        assert most_threads() == 2


def test_an_error_within_gives_the_threads_back() -> None:
    @one_thread()
    def fails() -> None:
        assert most_threads() == 1
        raise ValueError("on purpose")

    with threadpool_limits(limits=2):
        with pytest.raises(ValueError, match="on purpose"):
            fails()
        assert most_threads() == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_decisions_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    space = Space.from_dict({name: {"type": "real", "low": 0.0, "high": 1.0} for name in "abc"})
    unit = np.random.default_rng(3).random((120, 3))
    with threadpool_limits(limits=threads):
        optimizer = Optimizer(space, seed=1, initial=0)
        optimizer.tell(space.designs(space.from_unit(unit)), np.sin(4.0 * unit).sum(axis=1).tolist())
        (chosen,) = optimizer.ask()
    with threadpool_limits(limits=3 - threads):
        other = Optimizer(space, seed=1, initial=0)
        other.tell(space.designs(space.from_unit(unit)), np.sin(4.0 * unit).sum(axis=1).tolist())
        assert other.ask() == [chosen]
