"""What yet other makers' files hold is read as it is, or the doubt is told."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import analyze, read_curves
from toughopt.errors import CurveError


def test_other_makers_files_give_the_force_the_travel_and_the_specimens_that_are_in_them(maker, layouts, makers):
    truth = layouts.crush(samples=200)
    layout = makers.MAKERS[maker]
    curves = read_curves(layout(truth))
    assert len(curves) == layout.specimens
    assert np.ptp(curves[0].displacement_mm) == pytest.approx(np.ptp(truth.displacement_mm), rel=1e-4)
    assert np.ptp(curves[0].force_n) == pytest.approx(np.ptp(truth.force_n), rel=1e-4)
    wanted = analyze(read_curves(layouts.plain(truth))[0]).toughness_j
    assert analyze(curves[0]).toughness_j == pytest.approx(wanted, rel=2e-3)


def test_other_makers_files_need_no_unit_to_be_assumed(maker, layouts, makers):
    for curve in read_curves(makers.MAKERS[maker](layouts.crush())):
        assert {f.code for f in curve.findings if f.effect != "none"} <= {"SPECIMENS_STACKED", "SPECIMENS_BESIDE"}


@pytest.mark.parametrize("unit", ["x10 N", "thousand N", "tenths of N", "milli N", "kilo N"])
def test_a_unit_with_a_factor_is_refused_rather_than_taken_as_the_bare_one(unit, layouts):
    truth = layouts.crush()
    rows = "".join(f"{x:.4f},{f / 10:.4f}\n" for x, f in zip(truth.displacement_mm, truth.force_n, strict=True))
    with pytest.raises(CurveError, match=unit):
        read_curves((f"Displacement (mm),Load ({unit})\n" + rows).encode())


def test_blocks_whose_units_change_while_the_time_goes_on_are_one_test(layouts):
    c = layouts.crush()
    text = ""
    for unit, factor, part in (("kN", 1e3, slice(0, 120)), ("N", 1.0, slice(120, None))):
        text += f"Time,Extension,Load\ns,mm,{unit}\n"
        rows = zip(c.time_s[part], c.displacement_mm[part], c.force_n[part] / factor, strict=True)
        text += "".join(f"{t:.2f},{x:.4f},{f:.7f}\n" for t, x, f in rows)
    (curve,) = read_curves(text.encode())
    assert np.allclose(curve.force_n, c.force_n, atol=1e-3)


def test_specimens_side_by_side_are_called_by_their_numbers(layouts, makers):
    for layout, names in (("side_by_side_numbered", ["1", "2"]), ("side_by_side_lettered", ["A", "B"])):
        data = makers.MAKERS[layout](layouts.crush())
        assert [curve.specimen for curve in read_curves(data)] == names
    data = makers.MAKERS["side_by_side_numbered"](layouts.crush())
    (one,) = read_curves(data, column_map={"force": "Force 2", "displacement": "Disp 1"})  # sensors of one machine
    assert np.max(one.force_n) == pytest.approx(0.5 * np.max(layouts.crush().force_n), rel=1e-4)


def test_a_log_whose_readings_change_their_unit_is_refused(layouts):
    c = layouts.crush()
    lines = [
        f"{f:.3f} {'N' if f < 900 else 'kN'}\t{x:.4f} mm" for x, f in zip(c.displacement_mm, c.force_n, strict=True)
    ]
    with pytest.raises(CurveError, match="no rows of numbers"):
        read_curves("\n".join([*lines, ""]).encode())


def test_a_specimen_that_cannot_be_read_is_missed_at_the_others(layouts, makers):
    data = makers.MAKERS["bluehill_stacked_german"](layouts.crush()).replace(b"\r\n0,00;", b"\r\n0,00;;", 1)
    (curve,) = read_curves(data)
    assert any(f.code == "TABLE_LEFT_OUT" and f.effect == "warn" for f in curve.findings)


def test_one_of_two_load_cells_is_taken_with_a_warning(layouts):
    truth = layouts.crush()
    rows = "".join(
        f"{x:.4f},{f / 2:.3f},{f / 2:.3f}\n" for x, f in zip(truth.displacement_mm, truth.force_n, strict=True)
    )
    curve = read_curves(("Travel (mm),Load A (N),Load B (N)\n" + rows).encode())[0]
    assert any(f.code == "COLUMN_CHOSEN" and f.effect == "warn" for f in curve.findings)


def test_a_force_that_goes_over_range_makes_the_toughness_a_lower_bound(layouts):
    truth = layouts.crush()
    rows = [f"{x:.4f},{f:.3f}" for x, f in zip(truth.displacement_mm, truth.force_n, strict=True)]
    over = [*rows[:200], *(row.split(",")[0] + ",OVER" for row in rows[200:])]
    result = analyze(read_curves(("Travel (mm),Load (N)\n" + "\n".join([*over, ""])).encode())[0])
    assert result.verdict == "censored"
    assert any(f.code == "OVER_RANGE" for f in result.findings)


def test_a_second_specimen_below_the_first_without_a_time_is_told(layouts):
    truth = layouts.crush()
    rows = [f"{x:.4f},{f:.3f}" for x, f in zip(truth.displacement_mm, truth.force_n, strict=True)]
    result = analyze(read_curves(("Travel (mm),Load (N)\n" + "\n".join([*rows, *rows, ""])).encode())[0])
    assert any(f.code == "REBOUND" and f.effect == "warn" for f in result.findings)


def test_a_row_of_samples_instead_of_a_column_is_refused_in_a_few_words(layouts):
    truth = layouts.crush()
    lines = [f"{name}," + ",".join(f"{v:.4f}" for v in values) for name, values in
             (("mm", truth.displacement_mm), ("N", truth.force_n))]  # fmt: skip
    with pytest.raises(CurveError) as refused:
        read_curves("\n".join([*lines, ""]).encode())
    assert len(str(refused.value)) < 800
