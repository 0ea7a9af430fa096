"""What stands above the numbers: names, units and rules as people and programs write them."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import analyze, read_curves
from toughopt.errors import CurveError

POUND = 4.4482216152605


def table(truth, head, row="{:.6f},{:.7f}\n", per_mm=1.0, per_n=1.0):
    pairs = zip(truth.displacement_mm * per_mm, truth.force_n * per_n, strict=True)
    return (head + "".join(row.format(*pair) for pair in pairs)).encode()


READ = {
    "savetxt": ("# displacement_mm force_kN\n", {"row": "{:.6f} {:.9f}\n", "per_n": 1e-3}),
    "a percent sign": ("% Displacement (mm), Force (kN)\n", {"per_n": 1e-3}),
    "a rule below the names": ("Displacement,Force\n(mm),(kN)\n--------,--------\n", {"per_n": 1e-3}),
    "units and no names": ("mm,kN\n", {"per_n": 1e-3}),
    "the unit before the name": ("mm Displacement,kN Force\n", {"per_n": 1e-3}),
    "units without brackets": ("Displacement mm,Load kgf\n", {"per_n": 1 / 9.80665}),
    "a range behind the unit": ("Displacement (mm),Load (N) [5 kN cell]\n", {}),
    "a range before the unit": ("Displacement (mm),10kN Load Cell (N)\n", {}),
    "a list of units above": ("Units: kN, mm\n\nDisplacement,Load\n", {"per_n": 1e-3}),
    "wide letters": ("変位（ｍｍ）,荷重（ｋＮ）\n", {"per_n": 1e-3}),
    "narrow syllables": ("ｽﾄﾛｰｸ(mm),荷重(kN)\n", {"per_n": 1e-3}),
    "Italian": ("Estensione a compressione;Carico\n(mm);(kN)\n", {"row": "{:.6f};{:.9f}\n", "per_n": 1e-3}),
    "Chinese units": ("位移,力\n(毫米),(千牛)\n", {"per_n": 1e-3}),
    "microns": ("Displacement (microns),Load (N)\n", {"per_mm": 1e3}),
    "kips and mils": ("Displacement (mils),Load (kips)\n", {"per_mm": 1 / 0.0254, "per_n": 1e-3 / POUND}),
    "a travel called a strain": ("Stauchung in mm;Kraft in N\n", {"row": "{:.6f};{:.9f}\n"}),
    "units behind names, blanks between": (
        "# Displacement (mm) Force (kN)\n",
        {"row": "{:.6f} {:.9f}\n", "per_n": 1e-3},
    ),
    "grams": ("Position (mm),Load (grams)\n", {"per_n": 1e3 / 9.80665}),
}


@pytest.mark.parametrize("head", READ)
def test_names_and_units_are_found_however_they_are_written(head, layouts):
    truth = layouts.crush(samples=300)
    text, how = READ[head]
    (curve,) = read_curves(table(truth, text, **how))
    assert np.max(curve.displacement_mm) == pytest.approx(np.max(truth.displacement_mm), rel=1e-4)
    assert np.max(curve.force_n) == pytest.approx(np.max(truth.force_n), rel=1e-4)
    assert not any(finding.code == "UNIT_ASSUMED" for finding in curve.findings)


@pytest.mark.parametrize("unit", ["N x 10^3", "N·10³", "N*1000"])
def test_a_unit_that_is_multiplied_is_refused_with_the_option_that_settles_it(unit, layouts):
    data = table(layouts.crush(), f'Displacement (mm),"Force ({unit})"\n', per_n=1e-3)
    with pytest.raises(CurveError, match="force_unit"):
        read_curves(data)
    (curve,) = read_curves(data, force_unit="kN")
    assert np.max(curve.force_n) == pytest.approx(np.max(layouts.crush().force_n), rel=1e-4)


def test_the_range_of_a_load_cell_is_not_its_unit(layouts):
    truth = layouts.crush()
    (curve,) = read_curves(table(truth, "Displacement (mm),Force 5 kN\n"))
    assert np.max(curve.force_n) == pytest.approx(np.max(truth.force_n), rel=1e-4)
    assert any(finding.code == "UNIT_ASSUMED" for finding in curve.findings)


@pytest.mark.parametrize("between", ["NaN,NaN\n", ",\n", "Displacement (mm),Force (N)\n"])
def test_what_stands_between_the_rows_cuts_no_test_in_two(between, layouts):
    truth = layouts.crush(samples=400)
    lines = table(truth, "Displacement (mm),Force (N)\n").decode().splitlines(keepends=True)
    data = "".join([*lines[:150], between, *lines[150:300], between, *lines[300:]]).encode()
    (curve,) = read_curves(data)
    assert curve.force_n.size == 400
    assert analyze(curve).toughness_j == pytest.approx(analyze(read_curves("".join(lines).encode())[0]).toughness_j)


@pytest.mark.parametrize("first", ["0.000,nan\n", "NaN,NaN\n", "0.0,--\n"])
def test_a_first_sample_that_is_missing_is_no_row_of_names(first, layouts):
    data = table(layouts.crush(), "Displacement (mm),Force (N)\n").decode()
    head, _, rows = data.partition("\n")
    (curve,) = read_curves(f"{head}\n{first}{rows}".encode())
    assert curve.force_n == pytest.approx(layouts.crush().force_n, abs=1e-4)


def test_a_second_specimen_under_the_same_names_stays_one_of_its_own(layouts):
    data = table(layouts.crush(), "Displacement (mm),Force (N)\n")
    assert len(read_curves(data + data)) == 2


@pytest.mark.parametrize("rows", [(40, 40, 40, 40, 40, 40), (200, 5, 200)])
def test_specimens_whose_names_of_columns_begin_with_their_number_are_told_apart(rows, layouts):
    truth = layouts.crush(samples=200)
    text = "Results Table 2,,,\n"
    for number, count in enumerate(rows, start=1):
        text += f"{number},Time,Extension,Load\n,(s),(mm),(N)\n"
        some = zip(truth.time_s[:count], truth.displacement_mm[:count], number * truth.force_n[:count], strict=True)
        text += "".join(f",{t:.3f},{x:.6f},{f:.6f}\n" for t, x, f in some)
    curves = read_curves(text.encode())
    whole = [number for number, count in enumerate(rows, start=1) if count >= 10]
    assert [curve.specimen for curve in curves] == [str(number) for number in whole]
    for curve, number in zip(curves, whole, strict=True):
        assert curve.force_n == pytest.approx(number * truth.force_n[: curve.force_n.size], abs=1e-5)
        assert not any(finding.code == "UNREADABLE_ROWS" for finding in curve.findings)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Specimen,Extension (mm),Load (N)\n", "B-7,{:.6f},{:.7f}\n"),
        ("Operator,Sample,Extension (mm),Load (N)\n", '"J. Doe, M. Sc.","S 1",{:.6f},{:.7f}\n'),
        ("Extension (mm),Load (N),valid,limit\n", "{:.6f},{:.7f},True,False\n"),
    ],
)
def test_texts_beside_the_numbers_are_in_nobodys_way(head, row, layouts):
    truth = layouts.crush()
    (curve,) = read_curves(table(truth, head, row))
    assert curve.force_n == pytest.approx(truth.force_n, abs=1e-4)


def test_specimens_with_names_that_are_no_single_word_are_told_apart(layouts):
    truth = layouts.crush()
    parts = [table(truth, "", f"barrel {name},{{:.6f}},{{:.7f}}\n") for name in ("7-a", "7-b")]
    curves = read_curves(b"Specimen,Extension (mm),Load (N)\n" + b"".join(parts))
    assert [curve.specimen for curve in curves] == ["barrel_7_a", "barrel_7_b"]


@pytest.mark.parametrize(("row", "told"), [('{:.2f},"{:,.0f}"\n', {}), ("{:.2f};{:,.0f}\n", {"decimal": "."})])
def test_whole_numbers_with_a_thousands_mark_are_read_beside_decimals(row, told, layouts):
    truth = layouts.crush(samples=300)
    head = "Extension (mm),Load (N)\n" if '"' in row else "Extension (mm);Load (N)\n"
    (curve,) = read_curves(table(truth, head, row), **told)
    assert curve.force_n == pytest.approx(truth.force_n, abs=0.51)


def test_a_lone_mark_in_a_column_that_has_decimals_too_stays_refused(layouts):
    truth = layouts.crush(samples=300)
    pairs = zip(truth.displacement_mm, truth.force_n, strict=True)
    rows = "".join(f"{x:.2f};{f:,.0f}\n" if f > 1000 else f"{x:.2f};{f:.1f}\n" for x, f in pairs)
    with pytest.raises(CurveError, match="decimal="):
        read_curves(("Extension (mm);Load (N)\n" + rows).encode())


@pytest.mark.parametrize(
    "row",
    [
        "disp_mm:{:.6f},force_kN:{:.9f}\n",
        "12:00:01 -> x = {:.6f} mm; F = {:.9f} kN\n",
        '{{"disp_mm": {:.6f}, "force_kN": {:.9f}}}\n',
    ],
)
def test_a_log_that_writes_the_names_before_the_numbers_is_read(row, layouts):
    truth = layouts.crush()
    (curve,) = read_curves(table(truth, "rig 3, firmware 1.2\n", row, per_n=1e-3))
    assert curve.force_n == pytest.approx(truth.force_n, abs=1e-4)
    assert curve.displacement_mm == pytest.approx(truth.displacement_mm, abs=1e-4)
    assert not any(finding.code == "UNIT_ASSUMED" for finding in curve.findings)


def test_a_log_whose_names_change_is_no_table(layouts):
    truth = layouts.crush()
    half = truth.force_n.size // 2
    pairs = list(zip(truth.displacement_mm, truth.force_n, strict=True))
    lines = [f"x={x:.4f} mm F={f:.4f} {'N' if at < half else 'kN'}" for at, (x, f) in enumerate(pairs)]
    with pytest.raises(CurveError, match="rows of numbers"):
        read_curves("\n".join([*lines, ""]).encode())


@pytest.mark.parametrize("mark", [",", "."])
def test_whole_numbers_alone_are_read_with_their_thousands_marks(mark, layouts):
    truth = layouts.crush(samples=300)
    data = table(truth, "Displacement (um)\tLoad (N)\n", "{:,.0f}\t{:,.0f}\n", per_mm=1e3).replace(b",", mark.encode())
    (curve,) = read_curves(data)
    assert curve.force_n == pytest.approx(truth.force_n, abs=0.51)
    assert curve.displacement_mm == pytest.approx(truth.displacement_mm, abs=6e-4)
