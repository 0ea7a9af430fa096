"""What a test machine measured, and what a reader of its files is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from toughopt.errors import CurveError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Curve:
    """Force against displacement, as recorded; compression positive.

    displacement_mm : (n,) float, mm
    force_n : (n,) float, N
    time_s : (n,) float, s, or None where the file has none
    """

    displacement_mm: NDArray[np.float64]
    force_n: NDArray[np.float64]
    time_s: NDArray[np.float64] | None = None
    specimen: str = ""
    warnings: tuple[str, ...] = ()  # what the reader decided and had doubts about
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __init__(
        self,
        displacement_mm: ArrayLike,
        force_n: ArrayLike,
        time_s: ArrayLike | None = None,
        specimen: str = "",
        warnings: tuple[str, ...] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        arrays = {"displacement_mm": displacement_mm, "force_n": force_n, "time_s": time_s}
        for name, values in arrays.items():
            if values is None:
                object.__setattr__(self, name, None)
                continue
            array = np.asarray(values, dtype=np.float64)
            if array.ndim != 1 or array.shape != np.shape(displacement_mm):
                raise CurveError(
                    f"{name} has shape {array.shape}; a curve needs one number a sample, as many as displacement_mm"
                )
            object.__setattr__(self, name, array)
        object.__setattr__(self, "specimen", specimen)
        object.__setattr__(self, "warnings", tuple(warnings))
        object.__setattr__(self, "metadata", dict(metadata or {}))


@runtime_checkable
class Reader(Protocol):
    """Reads one software's files."""

    name: str

    def recognises(self, text: str) -> bool:
        """Whether `text`, a decoded file, is of this reader's kind."""
        ...

    def read(self, text: str) -> tuple[Curve, ...]:
        """Every curve in it, one a specimen. Raises CurveError when it holds none that is usable."""
        ...
