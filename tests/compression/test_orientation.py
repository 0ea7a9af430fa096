from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression.orientation import force_sign, tension_signs

RISE = np.linspace(0.0, 1.0, 60)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "force_n",
    [
        400.0 * RISE,  # from zero on
        400.0 * RISE + 50.0,  # not tared
        50.0 - 45.0 * RISE[::-1],  # not tared either
        106.0 - 100.0 * RISE,  # from the largest load on, down to near zero
        np.concatenate([206.0 - 204.0 * RISE, 2.0 + 205.0 * RISE]),  # and up again
    ],
)
def test_the_sign_is_that_of_compression_wherever_the_record_begins(force_n, sign):
    assert force_sign(sign * force_n) == sign


@pytest.mark.parametrize("sign", [1, -1])
def test_a_force_that_stays_far_from_zero_tells_by_its_change(sign):
    assert force_sign(sign * (50.0 - 20.0 * RISE)) == -sign


@pytest.mark.parametrize(
    "text",
    [
        "Tensile stress",
        "Zugspannung",
        "Deformación por tracción",
        "Contrainte de traction",
        "Sforzo di trazione",
        "przy rozciąganiu",
    ],
)
def test_tension_is_told_in_many_languages_and_compression_is_not_taken_for_it(text):
    assert tension_signs(f"Zeit {text} Last", None)
    assert not tension_signs(f"Compression test; {text}", None)
    assert not tension_signs("Time Extension Load", None)
