"""A whole lab that needs no hardware: printers, hands, a scale and a press, each behind what a real one has.

The printers are separate processes behind serial URLs, the scale answers on a serial URL, the press leaves files in a
folder. Only the hands carry a part from one to the next, and what they carry is what the printer really laid down.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from toughopt.errors import DeviceError, UnknownName
from toughopt.frames.folder import FolderWatch, WatchedFolderFrame
from toughopt.frames.guard import FrameGuard
from toughopt.frames.scales import SartoriusScale
from toughopt.profiles import PrinterProfile, load_profile
from toughopt.virtual.exporter import VirtualPress
from toughopt.virtual.press import PressSettings
from toughopt.virtual.scale import VirtualScale

if TYPE_CHECKING:
    from toughopt.frames.base import Handler
    from toughopt.gcode.base import ExecutedPath
    from toughopt.gcode.deposit import Deposit
    from toughopt.virtual.firmware import VirtualPrinterProcess

DENSITY_G_PER_CM3 = 1.24  # PLA (NatureWorks Ingeo 4043D, technical data sheet)


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the hands hold: what was laid down."""

    deposit: Deposit

    @property
    def mass_g(self) -> float:
        """Mass, g."""
        return self.deposit.mass_g(DENSITY_G_PER_CM3)


def specimen_seed(lab_seed: int, specimen: str) -> int:
    """The seed of one specimen's scatter: the same whenever and wherever it is crushed."""
    return int.from_bytes(hashlib.sha256(f"{lab_seed}/{specimen}".encode()).digest()[:8], "big")


class Recorder(Protocol):
    """A printer that knows what it laid down."""

    def take(self, path: Path) -> ExecutedPath:
        """Take the part off the bed: writes the record to `path` and returns it."""
        ...


class VirtualHandler:
    """The lab's hands: a `Handler` that takes a part off its printer, lays it on the scale, then on the press."""

    name = "virtual hands"

    def __init__(
        self,
        printers: Mapping[str, Recorder],
        scale: VirtualScale,
        press: VirtualPress,
        guard: FrameGuard,
        folder: Path,
        seed: int,
    ) -> None:
        self._printers = printers
        self._scale = scale
        self._press = press
        self._guard = guard
        self._folder = folder
        self._seed = seed
        self._parts: dict[str, Part] = {}
        self._lock = threading.Lock()

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`."""
        from toughopt.gcode.deposit import deposit

        if printer not in self._printers:
            raise UnknownName("virtual printer", printer, self._printers)
        record = self._record(specimen)
        part = Part(deposit(self._printers[printer].take(record)))
        with self._lock:
            self._parts[specimen] = part

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        self._scale.put(self.part(specimen).mass_g, specimen_seed(self._seed, f"{specimen}/mass"))

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`; what another test left on the plate is taken away first."""
        part = self.part(specimen)
        left = self._guard.on_plate
        if left is not None and left != specimen:
            self.discard(left)
        self._guard.place(specimen)
        self._scale.clear()
        self._press.place(specimen, part.deposit, specimen_seed(self._seed, f"{specimen}/press"))

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`; nothing happens where there is nothing to take away."""
        with self._lock:
            self._parts.pop(specimen, None)
        self._record(specimen).unlink(missing_ok=True)
        self._scale.clear()
        if self._guard.on_plate == specimen:
            self._press.clear()
            self._guard.remove()

    def part(self, specimen: str) -> Part:
        """What is held of a specimen; one that an earlier session took off its printer is still there.

        Raises
        ------
        DeviceError
            If it was never taken off a printer, or was thrown away.
        """
        from toughopt.gcode.base import ExecutedPath
        from toughopt.gcode.deposit import deposit

        with self._lock:
            part = self._parts.get(specimen)
        if part is not None:
            return part
        record = self.record_of(specimen)
        if record is None:
            raise DeviceError(f"the hands hold no specimen {specimen}; it must be taken off its printer first")
        part = Part(deposit(ExecutedPath.from_npz(record)))
        with self._lock:
            self._parts[specimen] = part
        return part

    def record_of(self, specimen: str) -> bytes | None:
        """The record of a specimen that was taken off its printer and not thrown away."""
        record = self._record(specimen)
        return record.read_bytes() if record.is_file() else None

    def _record(self, specimen: str) -> Path:
        return self._folder / f"{hashlib.sha256(specimen.encode()).hexdigest()[:16]}.npz"


class VirtualLab:
    """Everything that a campaign needs, virtual. Use it as a context manager, or `close` it.

    Parameters
    ----------
    printers : printer name -> profile, or the name of one
    folder : where the press exports to and printers leave their records; made where missing
    seed : decides every specimen's scatter, together with the specimen's name and nothing else
    press : how the press is set up
    clocks : printer name -> "max", "real" or a factor of real time
    faults : printer name -> faults of that printer, as `VirtualPrinterProcess` takes them
    robot : what goes wrong with the hands, as `RobotFault.parse` takes it; nothing where it is empty

    Attributes
    ----------
    frame, scale, handler : the press, the balance and the hands, ready to be used
    guard : what is known of the space between the plates
    frame_folder : where the press exports to
    scale_url : pyserial URL of the balance
    """

    def __init__(
        self,
        printers: Mapping[str, PrinterProfile | str],
        folder: Path,
        seed: int = 0,
        press: PressSettings | None = None,
        clocks: Mapping[str, Any] | None = None,
        faults: Mapping[str, Any] | None = None,
        robot: Sequence[str] = (),
    ) -> None:
        from toughopt.virtual.firmware import VirtualPrinterProcess
        from toughopt.virtual.handler import VirtualRobot

        profiles = {
            name: load_profile(profile) if isinstance(profile, str) else profile for name, profile in printers.items()
        }
        self.frame_folder = folder / "press"
        parts = folder / "parts"
        for made in (self.frame_folder, parts):
            made.mkdir(parents=True, exist_ok=True)
        self.guard = FrameGuard(confirm=None)
        with ExitStack() as stack:
            self.scale_server = stack.enter_context(VirtualScale(seed))
            self.press = VirtualPress(self.frame_folder, press or PressSettings())
            stack.callback(self.press.close)
            self.processes: dict[str, VirtualPrinterProcess] = {}

            def start(name: str) -> None:
                given = {"clock": clocks or {}, "faults": faults or {}}
                options = {key: values[name] for key, values in given.items() if name in values}
                process = VirtualPrinterProcess(profiles[name], seed=specimen_seed(seed, name) % 2**32, **options)
                stack.callback(process.close)
                self.processes[name] = process

            with ThreadPoolExecutor(max(len(profiles), 1)) as pool:  # each takes its time to come up
                list(pool.map(start, profiles))
            self.scale_url = self.scale_server.url
            self.scale = SartoriusScale(self.scale_url, name="virtual scale")
            stack.callback(self.scale.close)
            self._stack = stack.pop_all()
        watch = FolderWatch(self.frame_folder, self.press.pattern, settle_s=0.0, poll_s=0.02)
        self.frame = WatchedFolderFrame(watch, self.guard, self.press, name="virtual press")
        self._hands = VirtualHandler(self.processes, self.scale_server, self.press, self.guard, parts, seed)
        self.handler: Handler = VirtualRobot(self._hands, self.press, seed, robot) if robot else self._hands

    def url(self, printer: str) -> str:
        """Where to open a printer: a pyserial URL."""
        if printer not in self.processes:
            raise UnknownName("virtual printer", printer, self.processes)
        return str(self.processes[printer].url)

    def executed_path(self, specimen: str) -> bytes | None:
        """What the printer that made a specimen recorded, as `ExecutedPath.to_npz` writes it; None if unknown."""
        return self._hands.record_of(specimen)

    def close(self) -> None:
        """Stop everything; no process is left behind."""
        self._stack.close()

    def __enter__(self) -> VirtualLab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
