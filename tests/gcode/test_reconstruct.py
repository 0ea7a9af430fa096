from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from toughopt.errors import ProgramError
from toughopt.gcode import ExecutedPath, Program, deposit, layer_sections, on_bed, reconstruct, taken_at_its_word
from toughopt.geometry import Solid
from toughopt.slicing.base import Toolpaths

Make = Callable[..., Toolpaths]
Write = Callable[..., Program]
Tube = Callable[..., Solid]


def test_a_part_that_is_as_designed(tube: Make, write: Write, square_tube: Tube) -> None:
    toolpaths = tube()
    laid = deposit(taken_at_its_word(write(toolpaths), toolpaths.profile))
    found = reconstruct(laid, on_bed(square_tube(size=20, wall=0.9, height=2), toolpaths.profile), hausdorff=True)
    assert found.covered == pytest.approx(1.0, abs=0.005)
    assert found.outside < 0.001
    assert found.doubled < 0.002
    assert found.volume_error == pytest.approx(0, abs=1e-5)
    assert np.all(found.hausdorff_mm < 0.2)  # the rounded corners
    assert np.allclose(found.design_mm2, 20**2 - 18.2**2, rtol=0.01)
    assert np.isnan(
        reconstruct(laid, on_bed(square_tube(size=20, wall=0.9, height=2), toolpaths.profile)).hausdorff_mm[0]
    )


def test_a_part_that_is_not(tube: Make, write: Write, square_tube: Tube) -> None:
    toolpaths = tube()
    laid = deposit(taken_at_its_word(write(toolpaths), toolpaths.profile))
    design = on_bed(square_tube(size=20, wall=1.35, height=2), toolpaths.profile)
    found = reconstruct(laid, design, hausdorff=True)
    assert found.covered == pytest.approx((400 - 18.2**2) / (400 - 17.3**2), abs=0.03)
    assert np.all(found.hausdorff_mm > 0.4)
    smaller = on_bed(square_tube(size=19.1, wall=0.45, height=2), toolpaths.profile)
    assert reconstruct(laid, smaller).outside > 0.9


def test_a_line_printed_twice_is_doubled(path_of_beads: Callable[..., ExecutedPath], square_tube: Tube) -> None:
    per_mm = 0.45 * 0.2 / (np.pi * 1.75**2 / 4)
    rows = [(0, 0, 0.2, 20, 0, 0.2, 20 * per_mm), (20, 0.1, 0.2, 0, 0.1, 0.2, 20 * per_mm)]
    laid = deposit(path_of_beads(rows))
    found = reconstruct(laid, square_tube(size=30, wall=14.9, height=0.2).translated(10, 0, 0.1))
    assert found.doubled_mm2[0] == pytest.approx(20 * 0.35, rel=0.1)
    assert found.laid_mm2[0] == pytest.approx(20 * 0.55, rel=0.1)


def test_nothing_cannot_be_compared(path_of_beads: Callable[..., ExecutedPath], square_tube: Tube) -> None:
    with pytest.raises(ProgramError, match="nothing was laid down"):
        reconstruct(deposit(path_of_beads([])), square_tube(size=5, wall=1, height=1))


def test_separate_struts_are_told_apart(path_of_beads: Callable[..., ExecutedPath]) -> None:
    per_mm = 0.45 * 0.2 / (np.pi * 1.75**2 / 4)
    rows = []
    for layer in range(4):
        z = 0.2 * (layer + 1)
        for x, length in ((0.0, 10.0), (5.0, 6.0), (10.0, 4.0)):
            rows.append((x, 0, z, x, length, z, length * per_mm * (0.5 if layer == 2 else 1.0)))
            rows.append((x + 0.45, length, z, x + 0.45, 0, z, length * per_mm * (0.5 if layer == 2 else 1.0)))
    sections = list(layer_sections(deposit(path_of_beads(rows, nozzle_c=205.0))))
    assert [section.count for section in sections] == [3] * 4
    whole = sections[0]
    assert whole.area_mm2.tolist() == pytest.approx([9.0, 5.4, 3.6], rel=0.1)
    assert whole.volume_mm3.tolist() == pytest.approx([1.8, 1.08, 0.72])
    assert whole.centre_mm[0].tolist() == pytest.approx([0.225, 5.0], abs=0.06)
    assert np.allclose(whole.fill, 1.0, atol=0.1)
    assert np.allclose(sections[2].fill, 0.65, atol=0.15)  # half the filament between lines that still are close
    assert np.allclose(whole.nozzle_c, 205)
    assert whole.second_moments_mm4[0, 1] == pytest.approx(0.9 * 10**3 / 12, rel=0.1)
