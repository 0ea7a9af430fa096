"""Files that appear in pieces, out of order, twice, or never."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from toughopt.errors import ConfigError, FrameFault
from toughopt.frames import FolderWatch, FrameGuard, TestLimits, WatchedFolderFrame, write_whole

LIMITS = TestLimits()
ROWS = "Time,Extension,Load\n(s),(mm),(N)\n" + "".join(f"{i},{i},{i}\n" for i in range(200))


def never() -> None:
    return None


def watch(folder: Path, **options: float) -> FolderWatch:
    return FolderWatch(folder, "Specimen_RawData_{number}.csv", **{"settle_s": 0.1, "poll_s": 0.01} | options)


def file(folder: Path, number: int) -> Path:
    return folder / f"Specimen_RawData_{number}.csv"


class Clockwork:
    """A trigger that runs `work` on a thread when started."""

    def __init__(self, work, stands: bool = True) -> None:
        self._work, self._stands = work, stands
        self.started, self.stops = 0, 0
        self.thread: threading.Thread | None = None

    def start(self, specimen, limits) -> None:
        self.started += 1
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def stop(self) -> bool:
        self.stops += 1
        return self._stands

    def close(self) -> None:
        if self.thread is not None:
            self.thread.join(timeout=10.0)


def test_a_file_in_pieces_is_returned_only_when_whole(tmp_path, guard):
    def write() -> None:
        pause = threading.Event()
        with file(tmp_path, 1).open("w", newline="") as out:
            for at in range(0, len(ROWS), 100):
                out.write(ROWS[at : at + 100])
                out.flush()
                pause.wait(0.01)

    trigger = Clockwork(write)
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    path = frame.crush("A", LIMITS, 20.0)
    assert path.read_text() == ROWS
    frame.close()


def test_a_pause_in_mid_line_is_not_taken_for_the_end(tmp_path, guard):
    go_on = threading.Event()

    def write() -> None:
        with file(tmp_path, 1).open("w", newline="") as out:
            out.write(ROWS[:-3])
            out.flush()
            go_on.wait(0.4)  # several times the settling time
            out.write(ROWS[-3:])

    frame = WatchedFolderFrame(watch(tmp_path), guard, Clockwork(write))
    assert frame.crush("A", LIMITS, 20.0).read_text() == ROWS


def test_an_empty_file_is_waited_for(tmp_path, guard):
    made = threading.Event()

    def write() -> None:
        file(tmp_path, 1).touch()
        made.wait(0.3)
        file(tmp_path, 1).write_text(ROWS)

    frame = WatchedFolderFrame(watch(tmp_path), guard, Clockwork(write))
    assert frame.crush("A", LIMITS, 20.0).read_text() == ROWS


def test_a_later_number_does_not_stand_in_for_the_awaited_one(tmp_path, guard):
    def write() -> None:
        write_whole(file(tmp_path, 2), ROWS.replace("1", "2"))
        threading.Event().wait(0.3)
        write_whole(file(tmp_path, 1), ROWS)

    frame = WatchedFolderFrame(watch(tmp_path), guard, Clockwork(write))
    assert frame.crush("A", LIMITS, 20.0).name == "Specimen_RawData_1.csv"


def test_files_from_before_the_test_are_never_read(tmp_path, guard):
    for number in (1, 2, 9):
        write_whole(file(tmp_path, number), ROWS + f"{number},0,0\n")
    trigger = Clockwork(lambda: write_whole(file(tmp_path, 10), ROWS))
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    assert frame.crush("A", LIMITS, 20.0).name == "Specimen_RawData_10.csv"


def test_the_same_content_under_the_next_number_is_not_read_twice(tmp_path, guard):
    first = WatchedFolderFrame(watch(tmp_path), guard, None)
    numbers = iter((1, 2))
    trigger = Clockwork(lambda: write_whole(file(tmp_path, next(numbers)), ROWS))
    frame = WatchedFolderFrame(first._watch, guard, trigger)
    frame.crush("A", LIMITS, 20.0)
    with pytest.raises(FrameFault, match=r"Specimen_RawData_2\.csv.*same content"):
        frame.crush("A", LIMITS, 0.5)


def test_a_file_that_is_deleted_and_comes_again_is_not_read_again(tmp_path, guard):
    def again() -> None:
        file(tmp_path, 1).unlink()
        write_whole(file(tmp_path, 1), ROWS + "0,0,0\n")

    works = iter((lambda: write_whole(file(tmp_path, 1), ROWS), again))
    trigger = Clockwork(lambda: next(works)())
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    frame.crush("A", LIMITS, 20.0)
    with pytest.raises(FrameFault, match=r"Specimen_RawData_2\.csv was awaited"):
        frame.crush("A", LIMITS, 0.5)


def test_a_timeout_names_the_file_and_stops_the_frame(tmp_path, guard, alarms):
    trigger = Clockwork(never)
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    with pytest.raises(FrameFault, match=r"Specimen_RawData_1\.csv was awaited.*never appeared"):
        frame.crush("A", LIMITS, 0.2)
    assert trigger.stops == 1
    assert not alarms


def test_a_timeout_tells_of_a_newer_file(tmp_path, guard):
    trigger = Clockwork(lambda: write_whole(file(tmp_path, 4), ROWS))
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    with pytest.raises(FrameFault, match=r"_1\.csv was awaited.*newer ones are there: Specimen_RawData_4\.csv"):
        frame.crush("A", LIMITS, 0.5)


def test_a_timeout_while_the_crosshead_cannot_be_stopped_is_said_loudly(tmp_path, guard, alarms):
    frame = WatchedFolderFrame(watch(tmp_path), guard, Clockwork(never, stands=False))
    with pytest.raises(FrameFault, match="NOT known to stand still"):
        frame.crush("A", LIMITS, 0.1)
    assert alarms


def test_stop_from_another_thread_ends_the_wait(tmp_path, guard, in_background):
    trigger = Clockwork(never)
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    started = threading.Event()
    trigger._work = started.set
    in_background(lambda: started.wait(10.0) and frame.stop())
    with pytest.raises(FrameFault, match="was stopped"):
        frame.crush("A", LIMITS, 20.0)
    assert trigger.stops >= 1


def test_keep_clear_ends_a_running_test(tmp_path, guard):
    trigger = Clockwork(lambda: guard.keep_clear("pause"))
    frame = WatchedFolderFrame(watch(tmp_path), guard, trigger)
    with pytest.raises(FrameFault, match=r"to keep clear \(pause\)"):
        frame.crush("A", LIMITS, 20.0)
    assert trigger.stops == 1


def test_nothing_starts_without_a_specimen_on_the_plate(tmp_path, guard):
    guard.remove()
    trigger = Clockwork(never)
    with pytest.raises(FrameFault, match="no specimen"):
        WatchedFolderFrame(watch(tmp_path), guard, trigger).crush("A", LIMITS, 1.0)
    assert trigger.started == 0


def test_names_in_any_case_and_with_leading_zeros_count(tmp_path):
    (tmp_path / "SPECIMEN_rawdata_0012.CSV").write_text(ROWS)
    assert watch(tmp_path).expect() == 13


def test_a_file_that_changes_without_growing_is_not_settled(tmp_path):
    path = file(tmp_path, 1)
    path.write_text(ROWS)
    ticks = iter(range(1, 1000))

    def touch() -> None:
        os.utime(path, ns=(0, next(ticks) * 10**9))

    with pytest.raises(FrameFault, match="still being written"):
        watch(tmp_path).wait(1, 0.4, touch)


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="exactly once"):
        FolderWatch(tmp_path, "data.csv")
    with pytest.raises(ConfigError, match="not a folder"):
        FolderWatch(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="neither a trigger nor a person"):
        WatchedFolderFrame(FolderWatch(tmp_path), FrameGuard(confirm=None))
