"""A virtual robot that fails as real ones do, and an eye that sees what has become of the part."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import ConfigError, DeviceError
from toughopt.frames.vision import Question, Sight
from toughopt.gcode.deposit import Deposit, LayerTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.virtual.exporter import VirtualPress
    from toughopt.virtual.lab import VirtualHandler

    Floats = NDArray[np.float64]

_SLICE_MM = 0.5  # of a part on its side
_PIECE_MM = 0.4  # its beads are cut into pieces of this length


class Mishap(StrEnum):
    """What a robot can do wrong."""

    GRAB_FAILS = auto()  # it notices that it holds nothing, and says so; nothing was moved
    MISSES = auto()  # it does not notice: it says that it is done, and nothing was moved
    FALLS = auto()  # the part lies on its side between the plates, and the robot does not notice


@dataclass(frozen=True, slots=True)
class RobotFault:
    """A mishap, and when it happens: with a probability, or the first time that a specimen is moved that way."""

    mishap: Mishap
    chance: float = 0.0
    specimen: str | None = None
    action: str | None = None  # clear_bed, to_scale, to_frame, discard; None: any in which it can happen

    @classmethod
    def parse(cls, text: str) -> RobotFault:
        """`falls=0.02`, `misses=specimen:00007`, `grab_fails=clear_bed:0.1`, `grab_fails=clear_bed:specimen:00007`.

        Raises
        ------
        ConfigError
            If it is none of these.
        """
        name, _, rest = text.partition("=")
        action, _, value = rest.partition(":")
        if action not in _CAN:
            action, value = "", rest
        try:
            mishap = Mishap(name)
            if action and mishap not in _CAN[action]:
                raise ValueError
            if value.startswith("specimen:"):
                return cls(mishap, specimen=value.removeprefix("specimen:"), action=action or None)
            chance = float(value)
            if not 0.0 <= chance <= 1.0:
                raise ValueError
        except ValueError as error:
            raise ConfigError(
                f"{text!r} is no fault of the virtual robot; write {', '.join(Mishap)} as NAME=PROBABILITY, "
                "NAME=specimen:ID or NAME=ACTION:PROBABILITY, e.g. falls=0.02"
            ) from error
        return cls(mishap, chance, action=action or None)


_CAN = {
    "clear_bed": (Mishap.GRAB_FAILS, Mishap.MISSES),
    "to_scale": (Mishap.GRAB_FAILS, Mishap.MISSES),
    "to_frame": (Mishap.GRAB_FAILS, Mishap.MISSES, Mishap.FALLS),
    "discard": (Mishap.GRAB_FAILS,),
}


class VirtualRobot:
    """Hands that fail: a `Handler`. The same seed gives the same mishaps, whatever the order of the work."""

    name = "virtual robot"

    def __init__(self, hands: VirtualHandler, press: VirtualPress, seed: int, faults: Iterable[str] = ()) -> None:
        self._hands, self._press, self._seed = hands, press, seed
        self._faults = [RobotFault.parse(text) for text in faults]
        self._tries: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self.truth = Truth()

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`."""
        mishap = self._tried("clear_bed", specimen)
        if mishap is Mishap.MISSES:
            self.truth.on_bed.add(printer)
            return
        self._hands.clear_bed(printer, specimen)
        self.truth.on_bed.discard(printer)

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        if self._tried("to_scale", specimen) is Mishap.MISSES:
            return
        self._hands.to_scale(specimen)
        self.truth.on_scale = specimen

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`. What lies on the plate afterwards is what the press crushes."""
        from toughopt.virtual.lab import specimen_seed

        mishap = self._tried("to_frame", specimen)
        self._hands.to_frame(specimen)
        self.truth.on_scale, self.truth.on_frame, self.truth.fallen = None, specimen, mishap is Mishap.FALLS
        if mishap is None:
            return
        part = self._hands.part(specimen).deposit
        if mishap is Mishap.MISSES:
            self.truth.on_frame = None
        seen = on_its_side(part) if mishap is Mishap.FALLS else _nothing(part)
        self._press.place(specimen, seen, specimen_seed(self._seed, f"{specimen}/press"))

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`."""
        self._tried("discard", specimen)
        self._hands.discard(specimen)
        if self.truth.on_frame == specimen:
            self.truth.on_frame = None
        if self.truth.on_scale == specimen:
            self.truth.on_scale = None

    def _tried(self, action: str, specimen: str) -> Mishap | None:
        """What goes wrong this time. Raises DeviceError for what the robot notices."""
        with self._lock:
            attempt = self._tries.get((action, specimen), 0)
            self._tries[action, specimen] = attempt + 1
        for number, fault in enumerate(self._faults):
            if fault.mishap not in _CAN[action] or fault.action not in (None, action):
                continue
            text = f"{self._seed}/{number}/{action}/{specimen}/{attempt}"
            drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2.0**64
            if drawn < fault.chance or (fault.specimen == specimen and attempt == 0):
                if fault.mishap is Mishap.GRAB_FAILS:
                    raise DeviceError(f"{self.name}: the gripper closed on nothing ({action} of specimen {specimen})")
                return fault.mishap
        return None


@dataclass(slots=True)
class Truth:
    """Where parts really are."""

    on_bed: set[str] = field(default_factory=set)  # printers whose bed is not clear, though the robot said so
    on_scale: str | None = None
    on_frame: str | None = None
    fallen: bool = False


class VirtualEye:
    """A camera that is always right. See `Eye`."""

    name = "virtual camera"

    def __init__(self, robot: VirtualRobot) -> None:
        self._robot = robot

    def look(self, question: Question, specimen: str, printer: str | None = None) -> Sight:
        """See `Eye.look`."""
        truth = self._robot.truth
        match question:
            case Question.BED_CLEAR:
                return Sight(printer not in truth.on_bed, "a part lies on the bed" if printer in truth.on_bed else "")
            case Question.ON_SCALE:
                return Sight(truth.on_scale == specimen, f"{truth.on_scale or 'nothing'} lies on the scale")
            case Question.ON_FRAME if truth.on_frame == specimen and truth.fallen:
                return Sight(False, "the part lies on its side")
            case Question.ON_FRAME:
                return Sight(truth.on_frame == specimen, f"{truth.on_frame or 'nothing'} stands on the plate")
        return Sight(truth.on_frame is None, f"{truth.on_frame} is still there" if truth.on_frame else "")


def on_its_side(part: Deposit) -> Deposit:
    """The same material, turned by 90 degrees about the x axis and laid on the plate.

    Each bead becomes pieces of at most 0.4 mm, in slices of 0.5 mm of the new height; volume and extent are kept.
    """
    way = part.end_mm - part.start_mm
    length = np.linalg.norm(way, axis=1)
    pieces = np.maximum(np.ceil(length / _PIECE_MM).astype(np.int64), 1)
    owner = np.repeat(np.arange(part.count), pieces)
    first = np.cumsum(pieces) - pieces
    share = (np.arange(len(owner)) - first[owner] + 0.5) / pieces[owner]
    place = part.start_mm[owner] + share[:, None] * way[owner]
    up = place[:, 1] - (place[:, 1].min() if len(owner) else 0.0)
    turned = np.column_stack([place[:, 0], place[:, 2], up])
    layer = np.floor(up / _SLICE_MM).astype(np.int64)
    turned[:, 2] = (layer + 1) * _SLICE_MM
    half = np.column_stack([(length / pieces)[owner] / 2.0, np.zeros(len(owner)), np.zeros(len(owner))])
    volume = (part.volume_mm3 / pieces)[owner]
    area = volume / np.maximum((length / pieces)[owner], 1e-6)
    count = int(layer.max()) + 1 if len(owner) else 0
    volumes = np.bincount(layer, volume, count).astype(np.float64)
    heat = np.bincount(layer, volume * part.nozzle_c[owner], count)
    with np.errstate(invalid="ignore", divide="ignore"):
        nozzle_c: Floats = np.where(volumes > 0, heat / volumes, np.nan)
    unknown = np.full(count, np.nan)
    heights = np.full(count, _SLICE_MM)
    return replace(
        part,
        start_mm=turned - half,
        end_mm=turned + half,
        width_mm=area / _SLICE_MM,
        height_mm=np.full(len(owner), _SLICE_MM),
        area_mm2=area,
        volume_mm3=volume,
        layer=layer,
        run=np.arange(len(owner)),
        nozzle_c=part.nozzle_c[owner],
        speed_mm_s=part.speed_mm_s[owner],
        time_s=part.time_s[owner],
        layers=LayerTable(np.cumsum(heights), heights, volumes, nozzle_c, unknown, unknown),
    )


def _nothing(part: Deposit) -> Deposit:
    """An empty plate."""
    none: Any = np.zeros(0)
    one: dict[str, Any] = dict.fromkeys(("width_mm", "height_mm", "area_mm2", "volume_mm3", "nozzle_c"), none)
    one |= {"speed_mm_s": none, "time_s": none, "start_mm": np.zeros((0, 3)), "end_mm": np.zeros((0, 3))}
    empty = LayerTable(none, none, none, none, none, none)
    return replace(part, layer=none.astype(np.int64), run=none.astype(np.int64), layers=empty, **one)
