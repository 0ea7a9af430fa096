"""A person as hands and as load frame: asked what to do, and asked when it is done."""

from __future__ import annotations

from pathlib import Path

from toughopt.errors import DeviceError, FrameFault
from toughopt.frames.base import TestLimits
from toughopt.frames.guard import FrameGuard
from toughopt.frames.prompts import Ask, confirms

HANDS_TIMEOUT_S = 12 * 3600.0


class OperatorHandler:
    """A person who moves specimens. `ask` gets a question and a time-out, and returns what was typed, or None."""

    def __init__(
        self, ask: Ask, guard: FrameGuard | None = None, name: str = "operator", timeout_s: float = HANDS_TIMEOUT_S
    ) -> None:
        self.name = name
        self._confirm = confirms(ask, timeout_s)
        self._guard = guard

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`."""
        task = (
            f"Take specimen {specimen} off {printer}" if specimen else f"Look at {printer} before anything prints there"
        )
        self._done(f"{task}. Is the bed clear", f"that the bed of {printer} is clear")

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        self._done(f"Put specimen {specimen} on the scale. Is it there", f"that {specimen} is on the scale")

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`; the frame is kept clear until the person says that hands are out of it."""
        question = f"Put specimen {specimen} on the plate of the load frame. Is it there, and are your hands away"
        if self._guard is None:
            self._done(question, f"that {specimen} is on the plate")
            return
        with self._guard.reaching_in(f"{self.name} puts {specimen} on the plate"):
            self._done(question, f"that {specimen} is on the plate")
            self._guard.place(specimen)

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`."""
        question = f"Take what is left of specimen {specimen} away. Is the plate empty, and are your hands away"
        if self._guard is None:
            self._done(question, f"that {specimen} was taken away")
            return
        with self._guard.reaching_in(f"{self.name} takes {specimen} away"):
            self._done(question, f"that {specimen} was taken away")
            self._guard.remove(specimen)

    def _done(self, question: str, what: str) -> None:
        if not self._confirm(question):
            raise DeviceError(f"{self.name}: nobody confirmed {what}")


class OperatorFrame:
    """A person who crushes the specimen on any machine and tells where its file is."""

    def __init__(self, ask: Ask, guard: FrameGuard, name: str = "operator's frame") -> None:
        self.name = name
        self.guard = guard
        self._ask = ask
        self._told: set[Path] = set()

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """See `LoadFrame.crush`; asks again, up to three times, where the answer is not a new file."""
        self.guard.check(specimen)
        question = (
            f"Crush specimen {specimen} at {limits.speed_mm_per_min:g} mm/min to at most {limits.force_n:g} N and "
            f"{limits.travel_mm:g} mm, with these limits set in the frame. Path of the file"
        )
        for _ in range(3):
            answer = self._ask(question, timeout_s)
            if answer is None:
                raise DeviceError(f"{self.name}: nobody told the file of specimen {specimen} within {timeout_s:g} s")
            path = Path(answer.strip().strip('"')).expanduser().resolve()
            if path in self._told:
                question = f"{path} was the file of an earlier specimen. Path of the file of {specimen}"
            elif not path.is_file() or path.stat().st_size == 0:
                question = f"{path} is no file, or empty. Path of the file of {specimen}"
            else:
                self._told.add(path)
                return path
        raise FrameFault(
            f"{self.name}: three answers that are not the file of specimen {specimen}; tell it by hand later"
        )

    def stop(self) -> bool:
        """See `LoadFrame.stop`: only the person can, so it is never seen."""
        self.guard.alarm(f"{self.name}: stop the crosshead at the machine; it cannot be stopped from here")
        return False

    def close(self) -> None:
        """Nothing to let go."""
