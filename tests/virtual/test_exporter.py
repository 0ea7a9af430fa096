"""The virtual press as a frame: it leaves a numbered file, whole or in pieces, that the reader understands."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import read_curves
from toughopt.errors import FrameFault
from toughopt.frames import FolderWatch, FrameGuard, TestLimits, WatchedFolderFrame
from toughopt.virtual import VirtualPress, crush

LIMITS = TestLimits()
SMALL = {"height": 6.0, "layer": 0.3, "platform": 0.6}


def frame_over(press: VirtualPress, settle_s: float = 0.0) -> WatchedFolderFrame:
    guard = FrameGuard(confirm=None)
    guard.place("S1")
    return WatchedFolderFrame(FolderWatch(press.folder, settle_s=settle_s, poll_s=0.01), guard, press)


@pytest.mark.parametrize("pause", [None, 0.001], ids=["whole", "in pieces"])
def test_the_file_holds_the_curve_that_was_crushed(barrel, tmp_path, pause):
    press = VirtualPress(tmp_path, piece_pause_s=pause)
    part = barrel(8, 100.0, 2.0, 1.0, **SMALL)
    press.place("S1", part, seed=5)
    frame = frame_over(press, settle_s=0.0 if pause is None else 0.3)
    path = frame.crush("S1", LIMITS, 30.0)
    frame.close()
    curve = read_curves(path)[0]
    expected = crush(part, 5)
    assert curve.specimen == "S1"
    np.testing.assert_allclose(curve.force_n, expected.force_n, atol=1e-3)
    np.testing.assert_allclose(curve.displacement_mm, expected.displacement_mm, atol=1e-4)


def test_files_are_numbered_on(barrel, tmp_path):
    press = VirtualPress(tmp_path)
    frame = frame_over(press)
    names = []
    for seed in range(3):
        press.place("S1", barrel(8, 100.0, 2.0, 1.0, **SMALL), seed)
        names.append(frame.crush("S1", LIMITS, 30.0).name)
    assert names == [f"Specimen_RawData_{k}.csv" for k in (1, 2, 3)]


def test_a_part_made_again_leaves_a_file_of_its_own_although_it_is_the_same_part(barrel, tmp_path):
    press = VirtualPress(tmp_path)
    frame, part = frame_over(press), barrel(8, 100.0, 2.0, 1.0, **SMALL)
    files = []
    for _ in range(2):
        press.place("S1", part, 7)
        files.append(frame.crush("S1", LIMITS, 30.0))
    assert files[0].read_bytes() != files[1].read_bytes()
    first, again = (read_curves(file)[0] for file in files)
    np.testing.assert_array_equal(first.force_n, again.force_n)


def test_an_empty_plate_is_a_fault(tmp_path):
    press = VirtualPress(tmp_path)
    with pytest.raises(FrameFault, match="nothing on its plate"):
        press.start("S1", LIMITS)


def test_the_limits_of_the_test_hold(barrel, tmp_path):
    press = VirtualPress(tmp_path)
    press.place("S1", barrel(8, 100.0, 2.0, 1.0, **SMALL), 1)
    path = frame_over(press).crush("S1", TestLimits(force_n=800.0), 30.0)
    assert np.max(read_curves(path)[0].force_n) == pytest.approx(800.0, rel=0.05)
