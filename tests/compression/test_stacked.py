from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import read_curves


def test_a_column_of_specimen_numbers_cuts_the_table(layouts, makers):
    truth = layouts.crush()
    curves = read_curves(makers.MAKERS["numbered_specimens"](truth))
    assert [curve.specimen for curve in curves] == ["1", "2", "3"]
    for curve, share in zip(curves, (1.0, 0.9, 0.8), strict=True):
        assert np.allclose(curve.force_n, share * truth.force_n, atol=1e-3)
        assert not any(finding.code == "TIME_BACKWARDS" for finding in curve.findings)


def test_long_specimen_numbers_keep_all_their_digits(layouts):
    truth = layouts.crush(samples=40)
    lines = [
        f"{number},{x:.4f},{f:.3f}"
        for number in (20240131, 20240132)
        for x, f in zip(truth.displacement_mm, truth.force_n, strict=True)
    ]
    curves = read_curves("\n".join(["Specimen,Extension (mm),Load (N)", *lines, ""]).encode())
    assert [curve.specimen for curve in curves] == ["20240131", "20240132"]


def test_specimens_are_told_apart_by_their_names_and_keep_them(layouts):
    truth = layouts.crush(samples=40)
    rows = list(zip(truth.displacement_mm, truth.force_n, strict=True))
    lines = [f"{name},{x:.4f},{f:.3f}" for name in ("barrel_1", "barrel_2") for x, f in rows]
    curves = read_curves("\n".join(["Sample,Extension (mm),Load (N)", *lines, ""]).encode())
    assert [curve.specimen for curve in curves] == ["barrel_1", "barrel_2"]
    assert all(curve.force_n == pytest.approx(truth.force_n, abs=1e-3) for curve in curves)


def test_specimens_without_numbers_are_told_apart_by_a_time_that_begins_again_and_that_is_told(layouts):
    truth = layouts.crush()
    rows = list(zip(truth.time_s, truth.displacement_mm, truth.force_n, strict=True))
    lines = [f"{t:.3f},{x:.4f},{f:.3f}" for t, x, f in 2 * rows]
    curves = read_curves("\n".join(["Time (s),Extension (mm),Load (N)", *lines, ""]).encode())
    assert len(curves) == 2
    assert all(any(f.code == "SPECIMENS_STACKED" and f.effect == "warn" for f in curve.findings) for curve in curves)


def test_a_number_that_every_row_has_anew_is_no_specimen(layouts):
    truth = layouts.crush()
    rows = zip(truth.time_s, truth.displacement_mm, truth.force_n, strict=True)
    lines = [f"{number},{t:.2f},{x:.4f},{f:.3f}" for number, (t, x, f) in enumerate(rows)]
    data = "\n".join(["Sample,Time (s),Extension (mm),Load (N)", *lines, ""]).encode()
    assert len(read_curves(data)) == 1


def test_a_time_that_jumps_back_while_the_loading_goes_on_begins_no_specimen(layouts):
    truth = layouts.crush()
    time = np.where(np.arange(truth.time_s.size) < 120, truth.time_s, truth.time_s - truth.time_s[120])
    rows = zip(time, truth.displacement_mm, truth.force_n, strict=True)
    data = "\n".join(["Time (s),Extension (mm),Load (N)", *(f"{t:.2f},{x:.4f},{f:.3f}" for t, x, f in rows), ""])
    curves = read_curves(data.encode())
    assert len(curves) == 1 and curves[0].force_n.size == truth.force_n.size
