from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ObservationError, ProgramError
from toughopt.gcode import MassControl, MassReading, fit_flow, part_filament_mm, with_flow
from toughopt.profiles import PrinterProfile
from toughopt.slicing.base import Toolpaths


def printed(control: MassControl, target_g: float, gain: float) -> tuple[MassControl, float]:
    """A part for which the printer really extrudes `gain` times what it was told."""
    length = control.filament_mm(target_g)
    mass = gain * length / 335.27
    return control.corrected(MassReading(target_g, length, mass)), mass


def test_before_anything_was_weighed_density_and_diameter_count(profile: PrinterProfile) -> None:
    control = MassControl.fresh(profile)
    assert control.filament_mm(1.24) == pytest.approx(1000 / (np.pi * 1.75**2 / 4))
    assert not control.calibrated
    assert (control.printer, control.tool) == ("virtual", 0)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(gain=st.floats(0.7, 1.3), targets=st.lists(st.floats(1.0, 5.0), min_size=5, max_size=20))
def test_a_steady_printer_is_learned(gain: float, targets: list[float]) -> None:
    control = MassControl("p", 0, 335.27)
    for _ in range(2):
        control, mass = printed(control, 3.3, gain)
    assert control.calibrated
    for target in targets:
        control, mass = printed(control, target, gain)
    assert mass == pytest.approx(target, rel=0.01)


def test_calibration_waits_for_a_part_within_5_percent() -> None:
    control = MassControl("p", 0, 335.27)
    control, mass = printed(control, 3.3, 0.8)
    assert mass == pytest.approx(2.64)
    assert not control.calibrated
    control, mass = printed(control, 3.3, 0.8)
    assert mass == pytest.approx(3.3)
    assert control.calibrated
    assert control.readings == 0
    assert control.summed_error == 0


def test_the_rule_is_ratio_times_one_tenth_of_the_summed_errors() -> None:
    control = MassControl("p", 1, 300.0, calibrated=True)
    control = control.corrected(MassReading(3.0, 900.0, 2.7))
    assert control.summed_error == pytest.approx(0.1)
    assert control.mm_per_g == pytest.approx(900 / 2.7)
    assert control.filament_mm(2.0) == pytest.approx(2 * 900 / 2.7 * 1.01)
    assert control.readings == 1


def test_a_control_is_a_value_that_can_be_kept() -> None:
    control = MassControl("p", 1, 300.0, 0.02, 5, True)
    assert MassControl.from_dict(control.as_dict()) == control


@pytest.mark.parametrize("reading", [(3.3, 1000, 0.0), (3.3, 1000, float("nan")), (3.3, 0, 3.0), (3.3, 1000, 30.0)])
def test_readings_that_cannot_be_are_refused(reading: tuple[float, float, float]) -> None:
    with pytest.raises(ObservationError, match="weigh"):
        MassControl("p", 0, 335.0).corrected(MassReading(*reading))
    with pytest.raises(ObservationError, match="cannot be printed"):
        MassControl("p", 0, 335.0).filament_mm(-1)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(fixed=st.floats(0, 80), per_flow=st.floats(300, 2000), wanted=st.floats(0.4, 1.7), bend=st.floats(-0.1, 0.1))
def test_the_flow_is_found_within_1_percent(fixed: float, per_flow: float, wanted: float, bend: float) -> None:
    calls = []

    def length_at(multiplier: float) -> float:
        calls.append(multiplier)
        return fixed + per_flow * multiplier * (1 + bend * multiplier)

    target = fixed + per_flow * wanted * (1 + bend * wanted)
    fit = fit_flow(length_at, target)
    assert fit.reached
    assert fit.filament_mm == pytest.approx(target, rel=0.01)
    assert length_at(fit.multiplier) == pytest.approx(fit.filament_mm)
    assert fit.slices <= 5
    assert all(0.1 <= call <= 2 for call in calls)


def test_the_flow_is_kept_within_its_limits_and_warned_about() -> None:
    fit = fit_flow(lambda multiplier: 1000 * multiplier, 5000)
    assert fit.multiplier == 2
    assert not fit.reached
    assert len(fit.warnings) == 2
    assert "not reached" in fit.warnings[0]
    thin = fit_flow(lambda multiplier: 1000 * multiplier, 300)
    assert thin.reached
    assert "outside 0.5 to 1.5" in thin.warnings[0]
    assert fit_flow(lambda multiplier: 1000 * multiplier, 1000).warnings == ()
    with pytest.raises(ProgramError, match="no filament"):
        fit_flow(lambda multiplier: 0.0, 1000)


def test_a_parts_filament_follows_its_flow(profile: PrinterProfile, tube: Callable[..., Toolpaths]) -> None:
    toolpaths = tube(skirt=True)
    usual = part_filament_mm(toolpaths, profile)
    assert usual == pytest.approx(toolpaths.volume_mm3 / (np.pi * 1.75**2 / 4))
    assert part_filament_mm(toolpaths, with_flow(with_flow(profile, 1.2), 1.1)) == pytest.approx(1.32 * usual)
