"""What a configuration may say of each kind of frame, scale and hands, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from toughopt.errors import ConfigError, ToughoptError, UnknownName
from toughopt.frames.base import Handler, LoadFrame, Scale
from toughopt.frames.command import CommandHandler, CommandTrigger, JsonCommand
from toughopt.frames.folder import DEFAULT_PATTERN, FolderWatch, Trigger, WatchedFolderFrame
from toughopt.frames.guard import FrameGuard
from toughopt.frames.lines import LineSettings
from toughopt.frames.loadcell import (
    ANY_FORCE,
    CELL_LINE,
    CellSettings,
    LoadCellFrame,
    SerialTrigger,
    SerialTriggerCommands,
)
from toughopt.frames.mark10 import LINE as ESM_LINE
from toughopt.frames.mark10 import EsmSettings, Mark10Frame
from toughopt.frames.operator import OperatorFrame, OperatorHandler
from toughopt.frames.prompts import Ask, confirms
from toughopt.frames.scales import SARTORIUS_LINE, GenericSerialScale, OperatorScale, Range, SartoriusScale
from toughopt.frames.vision import CommandEye, Question, WatchedHandler

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def existing(folder: Path) -> Path:
    """`folder`, or ConfigError where it is none."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; make it, or name another")
    return folder


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str | None = None


class _Line(BaseModel):
    """A serial line; what is not given is as the machine's maker sets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    baud: Annotated[int, Field(gt=0)] | None = None
    bits: Literal[7, 8] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    hardware_flow: bool | None = None
    ending: str | None = None

    def over(self, usual: LineSettings) -> LineSettings:
        given = self.model_dump(exclude_none=True)
        kept = {name: getattr(usual, name) for name in LineSettings.__dataclass_fields__}
        return LineSettings(**(kept | given))


class _Trigger(BaseModel):
    """What starts and stops a test: another program, or commands on a serial line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[str, ...] | None = None
    timeout_s: Positive = 60.0
    url: str | None = None
    line: _Line = _Line()
    commands: dict[str, Any] | None = None

    def build(self, name: str) -> Trigger:
        if (self.command is None) == (self.url is None):
            raise ConfigError(f"{name}: trigger needs either command = [program, ...] or url with commands")
        if self.command is not None:
            return CommandTrigger(JsonCommand(self.command, self.timeout_s), name)
        try:
            commands = SerialTriggerCommands(**(self.commands or {}))
        except TypeError as error:
            known = ", ".join(SerialTriggerCommands.__dataclass_fields__)
            raise ConfigError(f"{name}: trigger.commands must give exactly {known} ({error})") from error
        return SerialTrigger(str(self.url), commands, self.line.over(LineSettings()), name)


class _Guarded(_Options):
    confirm: bool = True  # false lets the crosshead move without a person's word

    def guard(self, given: FrameGuard | None, ask: Ask) -> FrameGuard:
        return given if given is not None else FrameGuard(confirms(ask) if self.confirm else None)


class _FolderFrame(_Guarded):
    folder: Path
    pattern: str = DEFAULT_PATTERN
    settle_s: Annotated[float, Field(ge=0)] = 1.0
    poll_s: Positive = 0.1
    trigger: _Trigger | None = None

    def build(self, guard: FrameGuard | None, ask: Ask) -> LoadFrame:
        name = self.name or self.kind
        watch = FolderWatch(self.folder, self.pattern, self.settle_s, self.poll_s)  # before the trigger opens its port
        trigger = self.trigger.build(name) if self.trigger is not None else None
        return WatchedFolderFrame(watch, self.guard(guard, ask), trigger, name)


class _EsmFrame(_Guarded):
    url: str
    folder: Path
    own_force_limit_n: Positive
    line: _Line = _Line()
    lift_mm: Annotated[float, Field(ge=0)] = 0.0
    force_sign: Literal[1, -1] = 1
    travel_sign: Literal[1, -1] = -1
    commands: dict[str, str] = Field(default_factory=dict)

    def build(self, guard: FrameGuard | None, ask: Ask) -> LoadFrame:
        from toughopt.frames.mark10 import EsmCommands

        unknown = set(self.commands) - set(EsmCommands.__dataclass_fields__)
        if unknown:
            raise UnknownName("command of the stand", min(unknown), EsmCommands.__dataclass_fields__)
        settings = EsmSettings(
            self.own_force_limit_n,
            self.line.over(ESM_LINE),
            EsmCommands(**self.commands),
            self.force_sign,
            self.travel_sign,
            lift_mm=self.lift_mm,
        )
        return Mark10Frame(
            self.url, existing(self.folder), self.guard(guard, ask), settings, self.name or "Mark-10 ESM"
        )


class _CellFrame(_Guarded):
    url: str
    folder: Path
    trigger: _Trigger
    line: _Line = _Line()
    expression: str = ANY_FORCE
    scale: float = 1.0
    offset: float = 0.0
    travel_scale: float = 1.0
    ask: str | None = None
    silence_s: Positive = 1.0

    def build(self, guard: FrameGuard | None, ask: Ask) -> LoadFrame:
        name = self.name or "load cell"
        settings = CellSettings(
            self.expression,
            self.scale,
            self.offset,
            self.travel_scale,
            self.ask,
            self.line.over(CELL_LINE),
            self.silence_s,
        )
        folder = existing(self.folder)
        trigger = self.trigger.build(name)
        try:
            return LoadCellFrame(self.url, folder, self.guard(guard, ask), trigger, settings, name)
        except ToughoptError:
            trigger.close()
            raise


class _OperatorFrame(_Guarded):
    def build(self, guard: FrameGuard | None, ask: Ask) -> LoadFrame:
        return OperatorFrame(ask, self.guard(guard, ask), self.name or "operator's frame")


class _Weighing(_Options):
    least_g: Annotated[float, Field(ge=0)] = 0.01
    most_g: Positive = 500.0

    @property
    def allowed(self) -> Range:
        return Range(self.least_g, self.most_g)


class _Sartorius(_Weighing):
    url: str
    line: _Line = _Line()

    def build(self, guard: FrameGuard | None, ask: Ask) -> Scale:
        return SartoriusScale(self.url, self.name or self.kind, self.line.over(SARTORIUS_LINE), self.allowed)


class _SerialScale(_Weighing):
    url: str
    line: _Line = _Line()
    expression: str = r"(?P<sign>[+-]?)\s*(?P<value>\d+(?:[.,]\d+)?)\s*(?P<unit>g|mg|kg)?"
    ask: str | None = None
    steady: Annotated[int, Field(ge=1)] = 3
    tolerance_g: Annotated[float, Field(ge=0)] = 0.002

    def build(self, guard: FrameGuard | None, ask: Ask) -> Scale:
        return GenericSerialScale(
            self.url,
            self.expression,
            self.name or "serial scale",
            self.line.over(LineSettings()),
            self.ask,
            self.steady,
            self.tolerance_g,
            self.allowed,
        )


class _OperatorScale(_Weighing):
    def build(self, guard: FrameGuard | None, ask: Ask) -> Scale:
        return OperatorScale(ask, self.name or "operator", self.allowed)


class _Eye(BaseModel):
    """A program that looks whether the hands have done what they say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[str, ...]
    timeout_s: Positive = 60.0
    questions: tuple[Question, ...] = tuple(Question)
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    name: str = "camera"


class _Hands(_Options):
    eye: _Eye | None = None

    def watched(self, hands: Handler) -> Handler:
        if self.eye is None:
            return hands
        eye = CommandEye(JsonCommand(self.eye.command, self.eye.timeout_s), self.eye.name)
        return WatchedHandler(hands, eye, self.eye.questions, self.eye.retries)


class _OperatorHands(_Hands):
    timeout_s: Positive = 12 * 3600.0

    def build(self, guard: FrameGuard | None, ask: Ask) -> Handler:
        return self.watched(OperatorHandler(ask, guard, self.name or "operator", self.timeout_s))


class _CommandHands(_Hands):
    command: tuple[str, ...]
    timeout_s: Positive = 300.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2

    def build(self, guard: FrameGuard | None, ask: Ask) -> Handler:
        hands = JsonCommand(self.command, self.timeout_s)
        return self.watched(CommandHandler(hands, self.retries, guard, self.name or "command"))


FRAMES: Mapping[str, type[Any]] = {
    "watched_folder": _FolderFrame,
    "mark10": _EsmFrame,
    "load_cell": _CellFrame,
    "operator": _OperatorFrame,
}
SCALES: Mapping[str, type[Any]] = {"sartorius": _Sartorius, "serial": _SerialScale, "operator": _OperatorScale}
HANDLERS: Mapping[str, type[Any]] = {"operator": _OperatorHands, "command": _CommandHands}
