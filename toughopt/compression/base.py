"""What a test machine measured, what was found wrong with it, and what a reader of its files is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from toughopt.errors import CurveError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Severity(StrEnum):
    """How much a person should care."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Effect(StrEnum):
    """What a finding does to the toughness."""

    NONE = "none"  # a decision that is told
    WARN = "warn"  # the number stands, with a doubt
    CENSOR = "censor"  # the number is a lower bound
    REJECT = "reject"  # there is no number


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was decided about a curve, or that is wrong with it."""

    code: str
    severity: Severity
    effect: Effect
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


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
    findings: tuple[Finding, ...] = ()  # the same with codes and effects, for the quality gate

    def __init__(
        self,
        displacement_mm: ArrayLike,
        force_n: ArrayLike,
        time_s: ArrayLike | None = None,
        specimen: str = "",
        warnings: tuple[str, ...] = (),
        metadata: Mapping[str, str] | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        arrays = {"displacement_mm": displacement_mm, "force_n": force_n, "time_s": time_s}
        for name, values in arrays.items():
            if values is None and name == "time_s":
                object.__setattr__(self, name, None)
                continue
            try:
                array = np.asarray(values, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise CurveError(f"{name} = {values!r:.60} are no numbers, one a sample ({error})") from error
            if array.ndim != 1 or array.shape != np.shape(displacement_mm):
                raise CurveError(
                    f"{name} has shape {array.shape}; a curve needs one number a sample, as many as displacement_mm"
                )
            object.__setattr__(self, name, array)
        told = tuple(str(finding) for finding in findings)
        object.__setattr__(self, "specimen", specimen)
        object.__setattr__(self, "warnings", (*(w for w in warnings if w not in told), *told))
        object.__setattr__(self, "metadata", dict(metadata or {}))
        object.__setattr__(self, "findings", tuple(findings))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person knows about a file and would rather say than have guessed."""

    column_map: Mapping[str, str | int] | None = None  # "force", "displacement", "time" -> header name or index from 0
    decimal: str | None = None  # "." or ","
    separator: str | None = None  # one character; " " means any run of blanks
    force_unit: str | None = None  # overrides the file's
    displacement_unit: str | None = None
    time_unit: str | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise CurveError(f"decimal={self.decimal!r}; a decimal mark is '.' or ','")
        if self.separator is not None and len(self.separator) != 1:
            raise CurveError(
                f'separator={self.separator!r}; a separator is one character, or " " for any run of blanks'
            )
        unknown = set(self.column_map or ()) - {"force", "displacement", "time"}
        if unknown:
            raise CurveError(f"column_map names {sorted(unknown)[0]!r}; it knows 'force', 'displacement' and 'time'")


AS_FOUND = ReadOptions()


@runtime_checkable
class Reader(Protocol):
    """Reads one software's files."""

    name: str

    def recognises(self, text: str) -> bool:
        """Whether `text`, a decoded file, is of this reader's kind."""
        ...

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """Every curve in it, one a specimen. Raises CurveError when it holds none that is usable."""
        ...
