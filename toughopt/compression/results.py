"""The outcome of an analysis, and the form in which scripts get it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import Finding

Verdict = Literal["accepted", "censored", "rejected"]


@dataclass(frozen=True, slots=True)
class Toughness:
    """What one curve says about its specimen; None where it cannot be told.

    toughness_j : energy from contact to the end, J; None when rejected, a lower bound when censored
    toughness_std_j : its standard deviation, from the sensors' noise, the baseline and its drift, and the contact
    peak_force_n, max_displacement_mm : largest absolute values as recorded, before any zeroing
    """

    toughness_j: float | None
    toughness_std_j: float | None
    peak_force_n: float | None
    max_displacement_mm: float | None
    stiffness_n_per_mm: float | None = None
    specific_energy_j_per_g: float | None = None
    energy_absorbing_efficiency: float | None = None
    densification_strain: float | None = None
    densification_mm: float | None = None  # displacement after contact at the onset
    plateau_stress_mpa: float | None = None
    plateau_end_strain: float | None = None
    plateau_energy_mj_per_m3: float | None = None
    crush_force_efficiency: float | None = None
    contact_mm: float | None = None  # displacement as recorded
    end_mm: float | None = None  # displacement as recorded at which the area ends
    yield_force_n: float | None = None
    yield_mm: float | None = None  # displacement after contact
    noise_n: float | None = None
    censored: bool = False
    verdict: Verdict = "accepted"
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    specimen: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A curve as the area is taken: oriented, without spikes, baseline and compliance, from contact on.

    displacement_mm : (n,) float, mm after contact; force_n : (n,) float, N; end : index at which the area ends;
    last : index of the end of loading
    """

    displacement_mm: NDArray[np.float64]
    force_n: NDArray[np.float64]
    end: int
    last: int


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """One specimen of one file, and its cycles where it has several."""

    file: str
    specimen: str
    result: Toughness
    cycles: tuple[Toughness, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The stable keys of `toughopt analyze --json`."""
        entry = {"file": self.file, "specimen": self.specimen, **_figures(self.result)}
        if self.cycles:
            entry["cycles"] = [
                {"cycle": number, **_figures(cycle)} for number, cycle in enumerate(self.cycles, start=1)
            ]
        return entry


def as_json(analyses: Sequence[FileAnalysis]) -> list[dict[str, Any]]:
    """A list of plain dicts, one a specimen, ready for `json.dumps(..., allow_nan=False)`."""
    return [analysis.as_dict() for analysis in analyses]


def _figures(result: Toughness) -> dict[str, Any]:
    return {
        "toughness_j": _plain(result.toughness_j),
        "peak_force_n": _plain(result.peak_force_n),
        "stiffness_n_per_mm": _plain(result.stiffness_n_per_mm),
        "max_displacement_mm": _plain(result.max_displacement_mm),
        "specific_energy_j_per_g": _plain(result.specific_energy_j_per_g),
        "energy_absorbing_efficiency": _plain(result.energy_absorbing_efficiency),
        "densification_strain": _plain(result.densification_strain),
        "warnings": list(result.warnings),
        "toughness_std_j": _plain(result.toughness_std_j),
        "plateau_stress_mpa": _plain(result.plateau_stress_mpa),
        "crush_force_efficiency": _plain(result.crush_force_efficiency),
        "yield_force_n": _plain(result.yield_force_n),
        "contact_mm": _plain(result.contact_mm),
        "verdict": result.verdict,
    }


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
