from __future__ import annotations

import pytest

from toughopt.compression.base import AS_FOUND
from toughopt.compression.columns import choose_columns
from toughopt.compression.tables import find_tables
from toughopt.errors import CurveError


def chosen(header: str, units: str = "", rows: int = 5) -> dict[str, str]:
    width = header.count(";") + 1
    text = header + "\n" + (units + "\n" if units else "")
    text += "".join(";".join(f"{i}.{k}5" for k in range(width)) + "\n" for i in range(rows))
    (table,) = find_tables(text)
    columns = choose_columns(table, AS_FOUND)
    return {"force": columns.force.name, "displacement": columns.displacement.name}


@pytest.mark.parametrize(
    ("header", "units", "force", "displacement"),
    [
        ("Zeit;Traversenweg;Last", "(sec);(mm);(kN)", "Last", "Traversenweg"),
        ("Godzina;Przemieszczenie;Obciążenie", "(s);(mm);(N)", "Obciążenie", "Przemieszczenie"),
        ("时间;位移;载荷;压缩应变 (位移)", "(s);(mm);(N);(%)", "载荷", "位移"),
        ("Ch 1 Kraft Sollwert;Ch 1 Kraft;Ch 1 Weg;1944 B", "kN;kN;mm;mm", "Ch 1 Kraft", "Ch 1 Weg"),
        ("Time (s);Axial Force (N);Axial Displacement (mm);Axial Torque (N)", "", "Axial Force", "Axial Displacement"),
        ("t (s);F (N);x (mm)", "", "F", "x"),
        ("Standardkraft;Traversenweg absolut;Standardweg;Breite", "N;mm;mm;mm", "Standardkraft", "Standardweg"),
        ("Temps;Déplacement;Charge", "s;mm;kN", "Charge", "Déplacement"),
        ("Druckkraft;Compressive extension;Compressive strain", "N;mm;mm/mm", "Druckkraft", "Compressive extension"),
    ],
)  # fmt: skip
def test_columns_are_found_in_many_languages(header, units, force, displacement):
    assert chosen(header, units) == {"force": force, "displacement": displacement}


def test_names_that_nobody_knows_are_told_by_their_units():
    assert chosen("qwer;asdf", "N;mm") == {"force": "qwer", "displacement": "asdf"}


def test_two_unknown_names_of_one_unit_are_an_error():
    with pytest.raises(CurveError, match="column_map"):
        chosen("qwer;asdf;yxcv", "N;mm;mm")


def test_columns_of_the_same_name_are_an_error():
    with pytest.raises(CurveError, match="2 columns are called 'Load'"):
        chosen("Load;Load;Extension", "N;N;mm")


def test_two_axes_are_twins_of_which_one_is_taken_with_a_warning():
    (table,) = find_tables("XDisp;YDisp;XForce;YForce\nmm;mm;N;N\n" + "1.5;2.5;3.5;4.5\n" * 5)
    told = choose_columns(table, AS_FOUND).findings
    assert [(finding.code, finding.severity) for finding in told] == [("COLUMN_CHOSEN", "warning")] * 2


def test_maxima_and_minima_of_cycles_are_no_samples():
    with pytest.raises(CurveError, match="maxima and minima, such as of cycles, are no samples"):
        chosen("Cycle;Position:Maximum;Position:Minimum;Force:Maximum;Force:Minimum", ";mm;mm;N;N")


def test_columns_without_names_are_to_be_told_by_their_number():
    with pytest.raises(CurveError, match=r"column_map=\{'force': index\} tells which, counted from 0"):
        chosen(";", "mm;mm")


def test_no_force_is_an_error_that_lists_the_columns():
    with pytest.raises(CurveError, match="is the force: 'Zeit', 'Traversenweg'"):
        chosen("Zeit;Traversenweg", "s;mm")
