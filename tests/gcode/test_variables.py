from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.gcode.variables import bed_box, inside_bed, variables_for
from toughopt.profiles import Bed, PrinterProfile

BEDS = st.sampled_from(
    [
        Bed(),
        Bed(origin="center"),
        Bed(shape="circle", size_mm=(200, 200), origin="center"),
        Bed(shape="circle", size_mm=(180, 180)),
        Bed(size_mm=(80, 80)),
    ]
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(bed=BEDS, share_x=st.floats(0, 1), share_y=st.floats(0, 1), size=st.floats(5, 60))
def test_the_priming_line_lies_on_the_bed_and_away_from_the_part(
    bed: Bed, share_x: float, share_y: float, size: float
) -> None:
    profile = PrinterProfile(name="m", bed=bed)
    low_x, high_x, low_y, high_y = bed_box(profile)
    x = low_x + share_x * (high_x - low_x - size)
    y = low_y + share_y * (high_y - low_y - size)
    values = variables_for(profile, ((x, y, 0.0), (x + size, y + size, 10.0)), 50)
    ends = np.array([[values["prime_x"], values["prime_y"]], [values["prime_end_x"], values["prime_end_y"]]])
    park = np.array([[values["park_x"], values["park_y"]]])
    assert inside_bed(profile, park).all()
    if values["prime"]:
        assert inside_bed(profile, ends).all()
        nearest = np.clip(ends, [x, y], [x + size, y + size])
        line = np.linspace(ends[0], ends[1], 200)
        nearest = np.clip(line, [x, y], [x + size, y + size])
        assert np.linalg.norm(line - nearest, axis=1).min() >= 3.0 - 1e-3
        assert values["prime_e"] > 0


def test_there_is_no_priming_where_the_part_fills_the_bed() -> None:
    profile = PrinterProfile(name="m", bed=Bed(size_mm=(100, 100)))
    assert variables_for(profile, ((2, 2, 0), (98, 98, 5)), 1)["prime"] is False


def test_inside_a_round_bed() -> None:
    profile = PrinterProfile(name="m", bed=Bed(shape="circle", size_mm=(200, 200), origin="center"))
    points = np.array([[0, 0], [99, 0], [71, 71], [60, 60]])
    assert inside_bed(profile, points).tolist() == [True, True, False, True]
    assert inside_bed(profile, points, margin_mm=2).tolist() == [True, True, True, True]


def test_the_head_never_parks_above_the_machine() -> None:
    profile = PrinterProfile(name="m", bed=Bed(height_mm=100))
    assert variables_for(profile, ((0, 0, 0), (1, 1, 99)), 1)["park_z"] == pytest.approx(100)
