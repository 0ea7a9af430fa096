from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ProgramError
from toughopt.gcode import ExecutedPath, Program


@settings(deadline=None, derandomize=True, max_examples=10)
@given(count=st.integers(0, 50), seed=st.integers(0, 99))
def test_a_path_survives_being_stored(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = ExecutedPath(
        rng.normal(size=(count, 3)), rng.normal(size=(count, 3)), rng.random(count), rng.random(count),
        rng.random(count), rng.random(count), rng.integers(0, 3, count), 2.85, 0.6,
    )  # fmt: skip
    data = path.to_npz()
    again = ExecutedPath.from_npz(data)
    for name in ("start_mm", "end_mm", "filament_mm", "nozzle_c", "speed_mm_s", "time_s", "tool"):
        assert np.array_equal(getattr(again, name), getattr(path, name))
    assert (again.filament_diameter_mm, again.nozzle_diameter_mm) == (2.85, 0.6)
    assert again.to_npz() == data


@pytest.mark.parametrize("data", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_bytes_that_are_no_path_are_refused(data: bytes) -> None:
    with pytest.raises(ProgramError, match="no executed path"):
        ExecutedPath.from_npz(data)


def test_a_path_whose_arrays_do_not_fit_is_refused() -> None:
    zeros = np.zeros(3)
    path = ExecutedPath(np.zeros((3, 3)), np.zeros((2, 3)), zeros, zeros, zeros, zeros, np.zeros(3, dtype=np.int64))
    with pytest.raises(ProgramError, match="end_mm has shape"):
        ExecutedPath.from_npz(path.to_npz())


def test_a_program_is_pickled_without_its_moves() -> None:
    program = Program("G28\nG1 X10 F600\n", 0, 0.0, 0.0, 0.0, ((0, 0, 0), (0, 0, 0)), "virtual")
    assert program.moves.count == 1
    again = pickle.loads(pickle.dumps(program))
    assert "moves" not in again.__dict__
    assert again.text == program.text
    assert again.moves.count == 1
