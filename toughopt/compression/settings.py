"""What a person may choose about the analysis of a curve; the defaults are those of the published campaigns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from toughopt.errors import CurveError

BaselineRule = Literal["auto", "none", "constant", "linear"]
ToeRule = Literal["none", "astm_d695"]
StrengthRule = Literal["as_published", "censored"]
EndRule = Literal["end_of_loading", "first_break", "densification", "strain", "displacement", "force"]


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How a curve becomes a toughness.

    contact_force_n : force above the baseline at which the plates touch the specimen, N
    contact_window : samples of the trailing median that must exceed it
    baseline : what is subtracted from the force: nothing, the mean before contact, a line through it with as much of
        its slope as is certain ("auto"), or always the line; the latter two allow for drift in the uncertainty
    toe : "none" zeroes at contact; "astm_d695" where the steepest line of the loading meets zero (ASTM D695, annex)
    end : where the area ends; "strain", "displacement" (mm after contact) and "force" (N) need `end_value`
    break_drop : share of the highest force so far whose loss is a break
    force_limit_n : where the test was stopped so as not to overload; None when not known
    too_strong : what an unyielded specimen at that limit counts as: the energy below it, or a lower bound
    rebound_mm : a jump back of more than this ends the test (the plate tapped the specimen again)
    compliance_mm_per_n : of the machine; subtracted times force from the displacement
    compliance_curve : pairs (force N, displacement mm) measured without a specimen; instead of the former
    yield_offset : strain by which the elastic line is shifted to find the yield
    load_cell_n : capacity of the load cell; a force there is saturated
    """

    contact_force_n: float = 1.0
    contact_window: int = 20
    baseline: BaselineRule = "auto"
    toe: ToeRule = "none"
    end: EndRule = "end_of_loading"
    end_value: float | None = None
    break_drop: float = 0.5
    force_limit_n: float | None = None
    too_strong: StrengthRule = "as_published"
    rebound_mm: float = 5.0
    compliance_mm_per_n: float = 0.0
    compliance_curve: tuple[tuple[float, float], ...] = ()
    yield_offset: float = 0.002
    load_cell_n: float | None = None

    def __post_init__(self) -> None:
        for name, rule in (
            ("baseline", BaselineRule),
            ("toe", ToeRule),
            ("end", EndRule),
            ("too_strong", StrengthRule),
        ):
            value = getattr(self, name)
            if value not in get_args(rule):
                raise CurveError(f"{name} = {value!r} is none that is known: choose {', '.join(get_args(rule))}")
        positive = {
            "contact_force_n": self.contact_force_n,
            "contact_window": self.contact_window,
            "force_limit_n": self.force_limit_n,
            "rebound_mm": self.rebound_mm,
            "yield_offset": self.yield_offset,
            "load_cell_n": self.load_cell_n,
            "end_value": self.end_value,
        }
        for name, number in positive.items():
            if number is not None and not (isinstance(number, int | float) and number > 0 and math.isfinite(number)):
                raise CurveError(f"{name} = {number!r}; it must be a number above 0")
        if not 0 < self.break_drop < 1:
            raise CurveError(f"break_drop = {self.break_drop!r}; it is a share of the force, between 0 and 1")
        if not (self.compliance_mm_per_n >= 0 and math.isfinite(self.compliance_mm_per_n)):
            raise CurveError(f"compliance_mm_per_n = {self.compliance_mm_per_n!r}; it must be 0 or more")
        if self.compliance_curve and (
            len(self.compliance_curve) < 2
            or any(b[0] <= a[0] for a, b in zip(self.compliance_curve, self.compliance_curve[1:], strict=False))
        ):
            raise CurveError("compliance_curve needs at least two pairs (force N, displacement mm) with growing force")
        if self.end not in get_args(EndRule):
            raise CurveError(f"end = {self.end!r} is no way to end the area; choose {', '.join(get_args(EndRule))}")
        if self.end in ("strain", "displacement", "force") and self.end_value is None:
            raise CurveError(f"end = {self.end!r} needs end_value: the {self.end} at which the area ends")


DEFAULTS = AnalysisSettings()
