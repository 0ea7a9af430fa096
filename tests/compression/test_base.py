from __future__ import annotations

import codecs

import numpy as np
import pytest

from toughopt.compression import Curve, Effect, Finding, Reader, ReadOptions, Severity, readers
from toughopt.errors import CurveError


@pytest.mark.parametrize("name", list(readers()))
def test_every_reader_keeps_the_promises_of_one(name, layouts):
    reader = readers()[name]
    assert isinstance(reader, Reader)
    assert reader.name == name
    assert not reader.recognises("")
    with pytest.raises(CurveError):
        reader.read("Zeit;Weg;Kraft\nno numbers follow\n")
    text = layouts.bluehill_bare(layouts.crush()).decode().replace("\r\n", "\n")
    assert all(isinstance(curve, Curve) and curve.force_n.size > 100 for curve in reader.read(text))


def test_readers_recognise_their_own_files_and_not_each_others(layouts, layout):
    text = layouts.LAYOUTS[layout](layouts.crush())
    in_two_bytes = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoded = text.decode("utf-16") if in_two_bytes else text.decode("latin-1").removeprefix("ï»¿")
    expected = layouts.READER_OF[layout.split("_")[0]]
    first = next(reader.name for reader in readers().values() if reader.recognises(decoded))
    assert first == expected


def test_a_curve_needs_one_number_a_sample():
    with pytest.raises(CurveError, match="force_n has shape"):
        Curve([0.0, 1.0], [1.0])
    with pytest.raises(CurveError, match="displacement_mm has shape"):
        Curve(np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(CurveError, match=r"force_n = \['x', 'y'\] are no numbers"):
        Curve([0.0, 1.0], ["x", "y"])
    with pytest.raises(CurveError, match="displacement_mm"):
        Curve(None, None)


def test_findings_are_told_once_among_the_warnings():
    finding = Finding("CODE", Severity.WARNING, Effect.WARN, "what happened")
    curve = Curve([0.0], [0.0], warnings=("by hand", "CODE: what happened"), findings=(finding,))
    assert curve.warnings == ("by hand", "CODE: what happened")


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(CurveError, match="decimal"):
        ReadOptions(decimal=";")
    with pytest.raises(CurveError, match="'kraft'"):
        ReadOptions(column_map={"kraft": 1})
