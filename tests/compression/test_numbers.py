from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.compression.numbers import NumberReader, decide, is_missing, looks_numeric, weigh
from toughopt.errors import CurveError


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        (["0.5", "12.25"], "."),
        (["0,5", "12,25"], ","),
        (["1,367.96", "3"], "."),
        (["1.367,96", "3"], ","),
        (["0,125"], ","),
        (["1234,125"], ","),
        (["1.234.567"], ","),
        (["17", "18"], "."),
        (["6.8902e-005"], "."),
    ],
)
def test_the_decimal_mark_follows_from_fields_that_can_be_read_in_one_way(fields, mark):
    assert decide(weigh(fields)) == mark


def test_a_field_that_can_be_read_in_two_ways_decides_nothing():
    with pytest.raises(CurveError, match=r"'1,256'.*decimal="):
        decide(weigh(["1,256", "12,500"]))
    assert decide(weigh(["1,256", "0,5"])) == ","


def test_contradictions_are_an_error():
    with pytest.raises(CurveError, match="contradict"):
        decide(weigh(["0.5"] * 20 + ["0,5"] * 20))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(-1e7, 1e7).map(lambda value: round(value, 2)), st.sampled_from([".", ","]))
def test_numbers_with_thousands_marks_are_read_back(value, mark):
    text = f"{value:,.2f}"
    if mark == ",":
        text = text.translate(str.maketrans(".,", ",."))
    assert NumberReader(mark)(text) == value


@pytest.mark.parametrize("text", ["1 367,96", "1\u202f367,96", "1'367,96", "+1367,96", "1367,960"])
def test_other_thousands_marks_are_no_doubt(text):
    assert NumberReader(",")(text) == 1367.96


@pytest.mark.parametrize("text", ["", "NaN", "---", "20.02.2008", "10:11:12.5", "2021-03-22T10:11:12"])
def test_missing_values_dates_and_times_of_day_are_no_numbers(text):
    assert is_missing(text)
    assert not looks_numeric(text)
    assert math.isnan(NumberReader(".")(text))


def test_many_numbers_of_the_other_mark_are_refused_a_few_left_out():
    number = NumberReader(".")
    values = [number("1.5") for _ in range(997)] + [number("2,55"), number("1,234")]
    assert number.check(1000) == 2
    assert sum(math.isnan(value) for value in values) == 1
    for _ in range(20):
        number("3,33")
    with pytest.raises(CurveError, match="decimal mark"):
        number.check(1020)
