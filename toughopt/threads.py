"""One thread for linear algebra: where processes share the processors, and where matrices are small.

A Gaussian process of some hundred tests is fitted two to six times faster by one thread than by two, and sums come out
the same whatever the number of processors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread_from_now_on() -> None:
    """For all of this process that is still to come, libraries that are loaded later among it."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_SETTINGS, "1"))
    _libraries()
    threadpool_limits(limits=1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the context, or the function that this decorates; afterwards as before."""
    with _libraries().limit(limits=1):
        yield


@cache  # looking for them takes a good part of the time in which a design is chosen
def _libraries() -> Any:
    import numpy as np
    import scipy.linalg  # loads those that are to be limited
    from threadpoolctl import ThreadpoolController

    del np, scipy
    return ThreadpoolController().select(user_api="blas")
