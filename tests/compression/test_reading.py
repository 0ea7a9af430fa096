from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt.compression import Curve, analyze, check_options, read_curves, readers, reading
from toughopt.errors import CurveError, UnknownName


def test_every_layout_gives_back_what_was_written(layouts, layout):
    truth = layouts.crush(3, peak_n=1800.0)
    curve = read_curves(layouts.LAYOUTS[layout](truth))[0]
    np.testing.assert_allclose(curve.displacement_mm - curve.displacement_mm[0], truth.displacement_mm, atol=1e-3)
    np.testing.assert_allclose(curve.force_n, truth.force_n, atol=6e-3, rtol=1e-5)
    if curve.time_s is not None:
        np.testing.assert_allclose(curve.time_s, truth.time_s, atol=1e-3)


def test_every_layout_is_read_by_its_own_reader(layouts, layout):
    curve = read_curves(layouts.LAYOUTS[layout](layouts.crush()))[0]
    assert f"READER: read as {layouts.READER_OF[layout.split('_')[0]]}" in curve.warnings


def test_every_layout_gives_the_same_toughness(layouts, layout):
    truth = layouts.crush(5)
    wanted = analyze(Curve(truth.displacement_mm, truth.force_n)).toughness_j
    assert analyze(read_curves(layouts.LAYOUTS[layout](truth))[0]).toughness_j == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize("peak_n", [3.0, 40.0, 4800.0])
def test_small_and_large_forces_are_told_apart_from_thousands(layouts, layout, peak_n):
    truth = layouts.crush(2, peak_n=peak_n)
    curve = read_curves(layouts.LAYOUTS[layout](truth))[0]
    assert curve.force_n.max() == pytest.approx(truth.force_n.max(), abs=0.02)


def test_specimens_side_by_side_are_separate_and_may_end_earlier(layouts):
    truth = layouts.crush()
    first, second = read_curves(layouts.trapezium_polish(truth))
    assert (first.specimen, second.specimen) == ("1 _ 1", "1 _ 2")
    assert second.force_n.size == 3 * first.force_n.size // 4
    np.testing.assert_allclose(second.force_n, 0.9 * truth.force_n[: second.force_n.size], atol=1e-3)


def test_specimens_one_below_the_other_are_separate(layouts):
    truth = layouts.crush()
    for layout, shares in (("bluehill_specimens", (1.0, 0.9, 0.8)), ("zwick_blocks", (1.0, 0.9))):
        curves = read_curves(layouts.LAYOUTS[layout](truth))
        assert len(curves) == len(shares)
        for curve, share in zip(curves, shares, strict=True):
            np.testing.assert_allclose(curve.force_n, share * truth.force_n, atol=1e-3)


def test_times_that_cannot_be_read_are_left_out_and_told(layouts):
    curve = read_curves(layouts.plain_clock(layouts.crush()))[0]
    assert curve.time_s is None
    assert any(warning.startswith("TIME_LEFT_OUT") for warning in curve.warnings)
    with pytest.raises(CurveError, match="fortnights"):
        read_curves(layouts.plain_clock(layouts.crush()), time_unit="fortnights")


def test_blocks_whose_time_goes_on_are_one_curve(layouts):
    truth = layouts.crush()
    curves = read_curves(layouts.mts793_blocks(truth))
    assert len(curves) == 1
    assert curves[0].force_n.size == truth.force_n.size


def test_a_summary_block_is_left_out_and_told(layouts):
    (curve,) = read_curves(layouts.mts793_german(layouts.crush()))
    assert curve.specimen == "Würfel 8"
    assert any(finding.code == "TABLE_LEFT_OUT" for finding in curve.findings)


def test_compression_negative_is_turned_and_told(layouts):
    curve = read_curves(layouts.testsuite(layouts.crush()))[0]
    assert curve.force_n.max() > 1000 > -curve.force_n.min()
    assert any(finding.code == "SIGN_CHANGED" for finding in curve.findings)


def test_the_corrected_channel_is_preferred_and_the_other_named(layouts):
    curve = read_curves(layouts.own_rig(layouts.crush()))[0]
    assert any("Raw_Force" in text and "column_map" in text for text in curve.warnings)


def test_a_column_map_settles_which_channel(layouts):
    truth = layouts.crush()
    curve = read_curves(layouts.own_rig(truth), column_map={"force": "Raw_Force(N)"})[0]
    np.testing.assert_allclose(curve.force_n, truth.force_n + 3.0, atol=1e-3)


def test_numbers_without_names_need_a_column_map():
    rows = "".join(f"{0.01 * i:.3f};{3.5 * i:.2f}\n" for i in range(50)).encode()
    with pytest.raises(CurveError, match="column_map"):
        read_curves(rows)
    curve = read_curves(rows, column_map={"displacement": 0, "force": 1}, force_unit="N", displacement_unit="mm")[0]
    assert curve.force_n[-1] == pytest.approx(3.5 * 49)


def test_ambiguous_numbers_are_an_error_that_the_option_settles():
    rows = "Weg;Kraft\nmm;N\n" + "".join(f"{i}.125;{2 * i}.250\n" for i in range(1, 60))
    with pytest.raises(CurveError, match="decimal="):
        read_curves(rows.encode())
    assert read_curves(rows.encode(), decimal=".")[0].force_n[0] == 2.25
    assert read_curves(rows.encode(), decimal=",")[0].force_n[0] == 2250.0


def test_commas_that_separate_and_mark_decimals_are_an_error():
    rows = "Time,Extension,Load\n(s),(mm),(N)\n" + "".join(f"{i},5,{i},25,{i},75\n" for i in range(40))
    with pytest.raises(CurveError, match="separator and decimal mark"):
        read_curves(rows.encode())


def test_tails_of_decimal_commas_are_no_integers():
    rows = "Weg [mm],Kraft [kN],Zeit [s],Note\n" + "".join(f"0,{i:05d},1,{37 * i:07d}\n" for i in range(60))
    with pytest.raises(CurveError, match="separator and decimal mark"):
        read_curves(rows.encode())


def test_a_missing_unit_is_assumed_aloud_and_a_strange_one_refused():
    body = "".join(f"{0.01 * i:.3f},{3.5 * i:.2f}\n" for i in range(50))
    curve = read_curves(("Extension,Load\n" + body).encode())[0]
    assert sum(finding.code == "UNIT_ASSUMED" for finding in curve.findings) == 2
    with pytest.raises(CurveError, match=r"'qN'.*force_unit"):
        read_curves(("Extension (mm),Load (qN)\n" + body).encode())
    assert read_curves(("Extension (mm),Load (qN)\n" + body).encode(), force_unit="kN")[0].force_n[1] == 3500.0


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b"\xff\xfe"])
def test_a_file_that_holds_nothing_says_so(data):
    with pytest.raises(CurveError, match="holds nothing"):
        read_curves(data)


def test_a_summary_of_results_is_no_curve():
    table = "Results Table 1\n,Maximum Load (N),Extension at Maximum Load (mm)\n"
    table += "".join(f"{i},{1000 + i}.25,{i}.5\n" for i in range(1, 6))
    with pytest.raises(CurveError, match="no usable compression test"):
        read_curves(table.encode())


def test_a_missing_file_and_an_unknown_reader_are_named(tmp_path):
    with pytest.raises(CurveError, match=r"nothing\.csv"):
        read_curves(tmp_path / "nothing.csv")
    with pytest.raises(UnknownName, match="bluehill"):
        read_curves(b"a,b\n1,2\n", reader="bluehil")


def test_the_reader_is_chosen_by_content_not_by_name(layouts, tmp_path):
    path = tmp_path / "test.TRA"
    path.write_bytes(layouts.mesur(layouts.crush()))
    assert "READER: read as mark10_mesur" in read_curves(path)[0].warnings


class _Strange:
    name = "strange"

    def recognises(self, text: str) -> bool:
        return text.startswith("STRANGE")

    def read(self, text: str, options: object = None) -> tuple[Curve, ...]:
        return (Curve([0.0, 1.0], [0.0, 2.0]),)


class _Entry:
    name = "strange"

    def load(self) -> type[_Strange]:
        return _Strange


@pytest.fixture
def _looked_up_anew():
    """Readers of other packages are looked up once a process: forget them, before and after."""
    reading._of_other_packages.cache_clear()
    yield
    reading._of_other_packages.cache_clear()


@pytest.mark.usefixtures("_looked_up_anew")
def test_readers_of_other_packages_come_first(monkeypatch):
    monkeypatch.setattr(reading, "entry_points", lambda group: [_Entry()] if group == "toughopt.readers" else [])
    assert next(iter(readers())) == "strange"
    assert read_curves(b"STRANGE\n")[0].force_n[1] == 2.0


class _Careless(_Strange):
    """What goes wrong in readers, by what the file says."""

    def read(self, text: str) -> Any:  # type: ignore[override]
        return [[0.0, 1.0]] if "LIST" in text else text.nothing  # type: ignore[attr-defined]


class _Jumpy(_Strange):
    def recognises(self, text: str) -> bool:
        return text.index("STRANGE") == 0


def _made() -> _Strange:
    return _Strange()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, _looked_up_anew: None) -> Callable[[str], None]:
    """`installed("_Careless")`: the reader `strange` of another package is that of this file."""

    def install(code: str) -> None:
        point = EntryPoint("strange", f"{__name__}:{code}", "toughopt.readers")
        monkeypatch.setattr(reading, "entry_points", lambda group: [point] if group == point.group else [])

    return install


def test_a_function_may_make_the_reader_of_another_package(installed):
    installed("_made")
    assert read_curves(b"STRANGE\n")[0].force_n[1] == 2.0


@pytest.mark.parametrize(
    ("code", "data", "why"),
    [
        ("Gone", b"1 2\n", "cannot be imported: AttributeError"),
        ("Path", b"1 2\n", "which lacks what a Reader has: read, recognises"),
        ("_Jumpy", b"1 2\n", "cannot tell whether the file is of its kind: ValueError"),
        ("_Careless", b"STRANGE\n", "cannot read it: AttributeError: .*nothing.*test_reading.py, line"),
        ("_Careless", b"STRANGE LIST\n", "gave a list for a Curve"),
    ],
)
def test_what_a_reader_of_another_package_does_wrong_is_told_as_its_own(installed, code, data, why):
    installed(code)
    with pytest.raises(CurveError, match=f"reader 'strange' .*{why}"):
        read_curves(data)


def test_a_reader_that_cannot_be_imported_is_told_before_there_is_a_file(installed):
    installed("Gone")
    with pytest.raises(CurveError, match=r"reader 'strange' .* cannot be imported"):
        check_options()


def test_published_zwick_tension_test(published: Path):
    (curve,) = read_curves(published / "zwick_testxpert_tra_latin1.tra")
    assert curve.force_n.size == 944
    assert (curve.displacement_mm[0], curve.displacement_mm[-1]) == pytest.approx((6.8902e-5, 247.189))
    assert (curve.force_n[0], curve.force_n[-1]) == pytest.approx((0.218446, 59.563))
    assert curve.force_n.max() == pytest.approx(86.5105)
    assert curve.specimen == "17"
    assert any(finding.code == "TENSION" for finding in curve.findings)


def test_published_mts_cyclic_concrete_test(published: Path):
    (curve,) = read_curves(published / "mts793_mpt_compression_de_commadec.csv")
    assert curve.force_n.size == 931
    assert curve.force_n.max() == pytest.approx(472880.68)
    assert (curve.displacement_mm.max(), curve.displacement_mm.min()) == pytest.approx((1.7150041, -1.4186933))
    assert (curve.time_s[0], curve.time_s[-1]) == pytest.approx((79.004883, 544.00488))
    assert curve.specimen == "Maack X.x Drucklversuch Probe 11 B"


def test_published_file_of_random_numbers_is_rejected(published: Path):
    (curve,) = read_curves(published / "zwick_testxpert_txt_tab_utf8.txt")
    assert np.abs(curve.displacement_mm).max() == pytest.approx(0.998878337)
    result = analyze(curve)
    assert result.verdict == "rejected"
    assert result.toughness_j is None
    assert result.peak_force_n == pytest.approx(0.992537478)


def test_published_header_without_data_says_so(published: Path):
    with pytest.raises(CurveError, match="no rows of numbers"):
        read_curves(published / "catman_hbm_header_only.csv")
