from __future__ import annotations

import numpy as np

from toughopt.gcode.part import belongs_to_part


def wall(y: float, heights: range, x0: float = 0.0, x1: float = 20.0) -> list[tuple[float, ...]]:
    return [(x0, y, 0.2 * (k + 1), x1, y, 0.2 * (k + 1)) for k in heights]


def kept(rows: list[tuple[float, ...]]) -> list[bool]:
    table = np.array(rows)
    return belongs_to_part(table[:, :3], table[:, 3:], table[:, 5], 0.4).tolist()


def test_what_ends_low_and_apart_is_no_part() -> None:
    skirt, part = wall(-5, range(2)), wall(0, range(20))
    assert kept(skirt + part) == [False] * 2 + [True] * 20


def test_a_brim_touches_the_part_and_stays() -> None:
    brim = wall(-0.45, range(1)) + wall(-0.9, range(1))
    assert kept(brim + wall(0, range(20))) == [True] * 22


def test_two_parts_that_both_grow_are_both_kept() -> None:
    assert all(kept(wall(0, range(20)) + wall(40, range(20))))


def test_a_part_that_spreads_over_the_skirt_does_not_take_it_in() -> None:
    skirt = wall(-5, range(1))
    leaning = [row for k in range(40) for row in wall(-0.3 * k, range(k, k + 1))]
    assert kept(skirt + leaning) == [False] + [True] * 40


def test_a_priming_line_at_a_height_of_its_own() -> None:
    prime = [(0.0, -30.0, 0.3, 60.0, -30.0, 0.3)]
    assert kept(prime + wall(0, range(30))) == [False] + [True] * 30


def test_of_a_single_layer_the_last_piece_is_the_part() -> None:
    assert kept(wall(-30, range(1), 0, 60) + wall(0, range(1), 0, 5)) == [False, True]


def test_a_missing_layer_does_not_cut_the_part() -> None:
    assert all(kept(wall(0, range(5)) + wall(0, range(7, 20))))
