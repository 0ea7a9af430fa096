"""A lab on a virtual clock: the same firmware, press, scale and hands, and each thing takes the time that it would.

Programs go to the firmware in this process or in others, without a serial line; a month passes while one waits.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from toughopt.errors import DeviceError, FirmwareHalted
from toughopt.frames.folder import FolderWatch, WatchedFolderFrame
from toughopt.frames.guard import FrameGuard
from toughopt.frames.scales import SartoriusScale
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus
from toughopt.virtual.clock import VirtualClock
from toughopt.virtual.exporter import VirtualPress
from toughopt.virtual.lab import VirtualHandler, specimen_seed
from toughopt.virtual.press import PressSettings
from toughopt.virtual.scale import VirtualScale

if TYPE_CHECKING:
    from toughopt.frames.base import TestLimits
    from toughopt.gcode import Program
    from toughopt.gcode.base import ExecutedPath
    from toughopt.profiles import PrinterProfile


@dataclass(frozen=True, slots=True)
class StageTimes:
    """What the hands and the press take beside the test itself, s.

    Assumptions for a robot arm between five printers, a balance and a frame; a lab puts its own in.
    """

    clear_bed_s: float = 90.0
    weigh_s: float = 45.0
    load_s: float = 45.0
    discard_s: float = 60.0
    return_mm_per_min: float = 60.0  # at which the crosshead goes back up


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How often things go wrong: shares of all prints, of all beds that are cleared, of all movements and tests."""

    print_stops: float = 0.0  # the firmware stops itself on the way
    jam: float = 0.0  # the nozzle jams: the print goes on and lays nothing down
    grab_fails: float = 0.0  # the part does not come off, three times in a row
    lost: float = 0.0  # contact is lost on the way, and nobody knows what became of the print
    hands_fail: float = 0.0  # on the way to the scale, to the press, or away from it
    test_fails: float = 0.0  # the press does not come to the end of a test


@dataclass(slots=True)
class Occupied:
    """How long each machine was in use, s of virtual time."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, seconds: float) -> None:
        """`what` was in use for so long."""
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds


def executed(text: str, profile: PrinterProfile, seed: int, fault: str, spool: float) -> tuple[bytes, float, str]:
    """Run a program on a firmware of its own: the record (npz), how long it took in s, and why it stopped, if it did.

    `spool` is the filament's true cross-section, over that of the profile's diameter. Pure work, fit for any process.
    """
    from toughopt.virtual.firmware import Fault, FaultPlan, VirtualFirmware

    plan = FaultPlan((Fault.parse(fault),)) if fault else None
    firmware = VirtualFirmware(profile, seed=seed, faults=plan)
    reason = ""
    try:
        path = firmware.run_program(text)
    except FirmwareHalted as halt:
        reason = str(halt)
        path = firmware.take()
    path = replace(path, filament_diameter_mm=path.filament_diameter_mm * spool**0.5)
    return path.to_npz(), firmware.machine.now, reason


class SimulatedPrinter:
    """A `Printer` whose prints take virtual time only."""

    def __init__(
        self,
        name: str,
        profile: PrinterProfile,
        clock: VirtualClock,
        occupied: Occupied,
        seed: int,
        mishaps: Mishaps,
        run: Callable[..., tuple[bytes, float, str]],
        spool: float = 1.0,
    ) -> None:
        self.name = name
        self._profile = profile
        self._clock = clock
        self._occupied = occupied
        self._seed = seed
        self._mishaps = mishaps
        self._run = run
        self._spool = spool
        self._record = b""

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        """See `Printer.print`."""
        seed = specimen_seed(self._seed, f"{self.name}/{hashlib.sha256(program.text.encode()).hexdigest()}")
        fault, lost = self._mishap(Random(seed), program)
        self._record, seconds, reason = self._run(program.text, self._profile, seed % 2**32, fault, self._spool)
        self._clock.spend(seconds)
        self._occupied.add(self.name, seconds)
        if lost:
            reason = f"the line to {self.name} was lost; what was being printed may be there or not"
            return PrintOutcome(PrintStatus.UNCERTAIN, reason, False, seconds, program.line_count)
        status = PrintStatus.FAILED if reason else PrintStatus.PRINTED
        # a firmware that stopped itself has switched its heaters off; a program that ended has done so itself
        return PrintOutcome(status, reason, True, seconds, program.line_count)

    def take(self, path: Path) -> ExecutedPath:
        """Take the part off the bed: what the machine recorded, also written to `path`."""
        from toughopt.gcode.base import ExecutedPath

        path.write_bytes(self._record)
        return ExecutedPath.from_npz(self._record)

    def pause(self) -> None:
        """A simulated print is over as soon as it is begun."""

    def resume(self) -> None:
        """See `pause`."""

    def cancel(self, reason: str) -> None:
        """See `pause`."""

    def make_safe(self) -> bool:
        """Its heaters are off between prints."""
        return True

    def close(self) -> None:
        """Nothing to let go."""

    def _mishap(self, chance: Random, program: Program) -> tuple[str, bool]:
        """The firmware's fault in this print, "" for none, and whether contact is lost."""
        lines = max(program.line_count, 2)
        when, left = chance.randrange(1, lines) / lines, chance.random()
        for fault, share in (("halt", self._mishaps.print_stops), ("jam", self._mishaps.jam)):
            if left < share:
                return f"{fault}=line:{while_extruding(program, when)}", False
            left -= share
        return "", left < self._mishaps.lost


def while_extruding(program: Program, when: float) -> int:
    """How many commands are done at a share `when` in 0..1 of those that extrude, before the last of them.

    A firmware counts the commands that it runs, not the lines of a text; what happens after the last extrusion harms no
    part.
    """
    rows = program.moves.row[program.moves.extruded_mm > 0.0]
    return max(int(rows[int(when * (len(rows) - 1))]), 1) if len(rows) else 1


class TimedHandler:
    """The virtual hands, each movement of which takes its time, and of which some fail."""

    def __init__(
        self,
        hands: VirtualHandler,
        clock: VirtualClock,
        times: StageTimes,
        occupied: Occupied,
        mishaps: Mishaps,
        seed: int = 0,
    ) -> None:
        self.name = hands.name
        self._hands = hands
        self._clock = clock
        self._times = times
        self._occupied = occupied
        self._mishaps = mishaps
        self._seed = seed
        self._tries: Counter[str] = Counter()

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`."""
        self._took(self._times.clear_bed_s)
        if self._fails(f"{specimen}/grab", self._mishaps.grab_fails):
            raise DeviceError(f"the part of {specimen} did not come off {printer} in three attempts")
        self._hands.clear_bed(printer, specimen)

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        self._took(self._times.weigh_s)
        self._carry("to_scale", specimen)
        self._hands.to_scale(specimen)

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`."""
        self._took(self._times.load_s, "press")
        self._carry("to_frame", specimen)
        self._hands.to_frame(specimen)

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`."""
        self._took(self._times.discard_s, "press")
        self._carry("discard", specimen)
        self._hands.discard(specimen)

    def _carry(self, action: str, specimen: str) -> None:
        if self._fails(f"{specimen}/{action}", self._mishaps.hands_fail):
            raise DeviceError(f"{self.name} lost hold of {specimen} ({action})")

    def _fails(self, movement: str, share: float) -> bool:
        """Whether it fails this time: the same in every run, whatever the order of the work."""
        self._tries[movement] += 1
        return Random(specimen_seed(self._seed, f"{movement}/{self._tries[movement]}")).random() < share

    def _took(self, seconds: float, *others: str) -> None:
        self._clock.spend(seconds)
        for what in ("hands", *others):
            self._occupied.add(what, seconds)


class TimedFrame:
    """The virtual press, whose crosshead takes its time down and up again."""

    def __init__(
        self,
        frame: WatchedFolderFrame,
        clock: VirtualClock,
        times: StageTimes,
        occupied: Occupied,
        test_fails: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.name = frame.name
        self._test_fails = test_fails
        self._seed = seed
        self._tests: Counter[str] = Counter()
        self._frame = frame
        self._clock = clock
        self._times = times
        self._occupied = occupied

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """See `LoadFrame.crush`."""
        from toughopt.compression import read_curves

        file = self._frame.crush(specimen, limits, timeout_s)
        curve = read_curves(file.read_bytes())[0]
        travel_mm = float(curve.displacement_mm[-1])
        seconds = 60.0 * travel_mm * (1.0 / limits.speed_mm_per_min + 1.0 / self._times.return_mm_per_min)
        self._clock.spend(seconds)
        self._occupied.add("press", seconds)
        self._tests[specimen] += 1
        drawn = Random(specimen_seed(self._seed, f"{specimen}/test/{self._tests[specimen]}")).random()
        if drawn < self._test_fails:
            raise DeviceError(f"{self.name} lost its drive while it crushed {specimen}")
        return file

    def stop(self) -> bool:
        """See `LoadFrame.stop`."""
        return self._frame.stop()

    def close(self) -> None:
        """See `LoadFrame.close`."""
        self._frame.close()


@dataclass(frozen=True, slots=True)
class SimulatedLab:
    """What a campaign on a virtual clock needs."""

    printers: Mapping[str, SimulatedPrinter]
    scale: SartoriusScale
    frame: TimedFrame
    handler: TimedHandler
    hands: VirtualHandler
    guard: FrameGuard


@contextmanager
def simulated_lab(
    profiles: Mapping[str, PrinterProfile],
    folder: Path,
    clock: VirtualClock,
    *,
    seed: int = 0,
    times: StageTimes | None = None,
    mishaps: Mishaps | None = None,
    elsewhere: Executor | None = None,
    occupied: Occupied | None = None,
    spools: Mapping[str, float] | None = None,
) -> Iterator[SimulatedLab]:
    """A lab on `clock` with a printer for each profile by name.

    Parameters
    ----------
    profiles : printer name -> profile
    folder : where the press exports to and the parts' records lie; made where missing
    clock : what everything takes its time on
    seed : decides every specimen's scatter, and what goes wrong
    times, mishaps : how long things take, and how often they go wrong
    elsewhere : processes that run the firmware; this one where there are none
    occupied : where it is written down how long each machine was in use
    spools : printer name -> its filament's true cross-section over the nominal one, where they differ
    """
    times, mishaps, occupied = times or StageTimes(), mishaps or Mishaps(), occupied or Occupied()
    press_folder, parts = folder / "press", folder / "parts"
    for made in (press_folder, parts):
        made.mkdir(parents=True, exist_ok=True)

    def run(*arguments: Any) -> tuple[bytes, float, str]:
        from toughopt.executor import completed

        return executed(*arguments) if elsewhere is None else next(completed(elsewhere, executed, [arguments]))[1]

    guard = FrameGuard(confirm=None)
    with ExitStack() as stack:
        balance = stack.enter_context(VirtualScale(seed))
        scale = SartoriusScale(balance.url, name="virtual scale")
        stack.callback(scale.close)
        press = VirtualPress(press_folder, PressSettings())
        stack.callback(press.close)
        printers = {
            name: SimulatedPrinter(name, profile, clock, occupied, seed, mishaps, run, (spools or {}).get(name, 1.0))
            for name, profile in profiles.items()
        }
        hands = VirtualHandler(printers, balance, press, guard, parts, seed)
        watch = FolderWatch(press_folder, press.pattern, settle_s=0.0, poll_s=0.005)
        frame = WatchedFolderFrame(watch, guard, press, name="virtual press")
        yield SimulatedLab(
            printers,
            scale,
            TimedFrame(frame, clock, times, occupied, mishaps.test_fails, seed),
            TimedHandler(hands, clock, times, occupied, mishaps, seed),
            hands,
            guard,
        )
