"""Where the head may go."""

from __future__ import annotations

import pytest

from toughopt.printing.volume import Volume
from toughopt.profiles import Bed


@pytest.mark.parametrize(
    ("bed", "place", "inside"),
    [
        (Bed(), (0, 0, 0), True),
        (Bed(), (250, 210, 200), True),
        (Bed(), (250.1, 0, 0), False),
        (Bed(), (0, -0.1, 0), False),
        (Bed(), (None, None, 200.5), False),
        (Bed(), (None, None, -0.5), False),
        (Bed(margin_mm=5), (-4, 214, 0), True),
        (Bed(origin="center"), (-125, 105, 10), True),
        (Bed(origin="center"), (200, 0, 10), False),
        (Bed(shape="circle", origin="center", size_mm=(200, 200)), (90, 90, 0), False),
        (Bed(shape="circle", origin="center", size_mm=(200, 200)), (70, 70, 0), True),
        (Bed(shape="circle", origin="center", size_mm=(200, 200)), (None, 99, 0), True),
    ],
)
def test_inside_and_outside(bed, place, inside):
    assert Volume(bed).holds(*place) is inside
