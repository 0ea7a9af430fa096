"""The machines of a campaign, opened from its configuration: real ones, or the virtual lab's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from toughopt.errors import ConfigError, DeviceError, FrameFault, ToughoptError
from toughopt.frames import Handler, LoadFrame, Scale, TestLimits
from toughopt.printing import Printer
from toughopt.tomlplace import said_at

if TYPE_CHECKING:
    from toughopt.campaign import DeviceConfig, TestConfig
    from toughopt.frames.guard import FrameGuard
    from toughopt.loop.workspace import Workspace

_WEIGH_TIMEOUT_S = 120.0
TO_FILL_IN = "TO FILL IN"  # where a new campaign.toml cannot guess what to say
FIGURES = "exports"  # the campaign's own folder for figures, reports and tables


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that prints, carries, weighs and crushes. What takes time is called from the crew's threads."""

    printers: dict[str, Printer]
    scale: Scale | None
    frame: LoadFrame
    handler: Handler
    path_of: Callable[[str], bytes | None] = lambda specimen: None
    guard: FrameGuard | None = None

    def executed_path(self, specimen: str) -> bytes | None:
        """What the machine that printed it recorded, where it is one that does."""
        return self.path_of(specimen)

    def weigh(self, specimen: str) -> float | None:
        """Mass in g, None where there is no scale. Raises DeviceError."""
        if self.scale is None:
            return None
        self.handler.to_scale(specimen)
        mass_g: object = self.scale.weigh(_WEIGH_TIMEOUT_S)
        if isinstance(mass_g, bool) or not isinstance(mass_g, Real) or not math.isfinite(mass_g):
            raise DeviceError(f"scale {self.scale.name!r} answered {mass_g!r}, which is no mass in g")
        return float(mass_g)

    def crush(self, test: TestConfig, specimen: str, height_mm: float | None) -> tuple[bytes, str]:
        """Crush the specimen that lies on the frame; the file that the frame wrote, and its name.

        Raises
        ------
        DeviceError
            If the frame fails, refuses to move, or writes nothing in time.
        """
        travel_mm = test.travel_mm or 0.9 * (height_mm or 20.0)
        limits = TestLimits(test.force_limit_n, travel_mm, test.speed_mm_per_min)
        file: object = self.frame.crush(specimen, limits, test.timeout_s)
        if not isinstance(file, str | Path):
            raise FrameFault(
                f"load frame {self.frame.name!r} answered with a {type(file).__name__} instead of its file's path; "
                "the specimen was crushed: tell its curve by hand"
            )
        file = Path(file)
        try:
            return file.read_bytes(), file.name
        except OSError as error:
            raise FrameFault(
                f"{file} cannot be read: {error}; the specimen was crushed: tell its curve by hand"
            ) from error


@contextmanager
def open_lab(workspace: Workspace) -> Iterator[Lab]:
    """Open the machines that campaign.toml names; they are left safe and closed at the end.

    Raises
    ------
    DeviceError
        If one of them does not answer.
    ConfigError, UnknownName
        If one is of a kind that does not exist, or lacks what its kind needs; or if some are virtual and some real.
    """
    from toughopt.printing import open_printer

    config = workspace.config
    if config.mixture is not None:
        raise ConfigError(config.mixture)
    with ExitStack() as stack:
        profiles = {name: recipe.profile for name, recipe in workspace.recipes.items()}
        if config.all_virtual:
            from toughopt.virtual.lab import VirtualLab

            virtual = stack.enter_context(
                VirtualLab(
                    profiles,
                    workspace.folder / "lab",
                    config.seed,
                    clocks={printer.name: printer.clock for printer in config.printers},
                    faults={printer.name: printer.faults for printer in config.printers},
                    robot=(config.handler.model_extra or {}).get("faults", ()),
                )
            )
            urls = {printer.name: virtual.url(printer.name) for printer in config.printers}
            scale: Scale | None = virtual.scale
            frame: LoadFrame = virtual.frame
            handler: Handler = virtual.handler
            path_of: Callable[[str], bytes | None] = virtual.executed_path
            guard: FrameGuard | None = virtual.guard
        else:
            from toughopt.frames import open_frame, open_handler, open_scale

            urls = {printer.name: printer.url for printer in config.printers}
            where = workspace.folder
            scale = None
            if config.scale.kind != "none":
                scale = open_scale(machine_options("scale", config.scale, where))
                stack.callback(let_go, "the scale", scale.close)
            frame = open_frame(machine_options("frame", config.frame, where))
            stack.callback(let_go, "the load frame", frame.close)
            guard = getattr(frame, "guard", None)
            handler = open_handler(machine_options("handler", config.handler, where), guard=guard)
            path_of = _no_path
        elsewhere = _remote(workspace, stack)
        printers: dict[str, Printer] = {}
        for printer in config.printers:
            if printer.agent is not None:
                opened = elsewhere(printer.name, printer.agent)
            else:
                opened = open_printer(printer.name, urls[printer.name], profiles[printer.name])
            stack.callback(let_go, printer.name, opened.close)
            printers[printer.name] = opened
        yield Lab(printers, scale, frame, handler, path_of, guard)


def let_go(who: str, close: Callable[[], None]) -> None:
    """Close a machine. DeviceError names it where that fails in a way that nobody meant."""
    try:
        close()
    except ToughoptError:
        raise
    except Exception as error:
        raise DeviceError(f"{who} could not be let go: {type(error).__name__}: {error}") from error


def machine_options(part: Literal["frame", "scale", "handler"], config: DeviceConfig, folder: Path) -> dict[str, Any]:
    """What campaign.toml in `folder` says of a machine; a relative `folder` begins there, wherever the program runs.

    Files that a `command` names and that lie there are named in full.

    Raises
    ------
    ConfigError
        If something is still to be filled in, or the machine's folder is the one for the campaign's figures.
    """
    options = dict(config.model_dump())
    for key, value in options.items():
        if value == TO_FILL_IN:
            with said_at(folder, part, key):
                raise ConfigError(f"[{part}] {key} is still to be filled in; the remark behind it says with what")
    named = options.get("folder")
    if isinstance(named, str):
        path = (folder / named).resolve()
        if path == (folder / FIGURES).resolve():
            with said_at(folder, part, "folder"):
                raise ConfigError(
                    f"[{part}] folder = {str(path)!r} is where this campaign's figures go; name the folder that the "
                    "machine's files go to"
                )
        options["folder"] = str(path)
    return {key: _found(key, value, folder) for key, value in options.items()}


def _found(key: str, value: Any, folder: Path) -> Any:
    """An option, the words of a `command` in full where they are files in `folder`; a bare program is left to PATH."""
    if isinstance(value, dict):
        return {inner: _found(inner, content, folder) for inner, content in value.items()}
    if key != "command" or not isinstance(value, list | tuple):
        return value
    bare = {0} if value and Path(str(value[0])).name == value[0] else set()
    return [
        str((folder / word).absolute())
        if index not in bare and isinstance(word, str) and word and (folder / word).is_file()
        else word
        for index, word in enumerate(value)
    ]


def _remote(workspace: Workspace, stack: ExitStack) -> Callable[[str, str], Printer]:
    """What makes the machines of other PCs, over one line to the campaign's database.

    Raises
    ------
    ConfigError
        Where what that needs is not installed.
    """
    config = workspace.config
    if all(printer.agent is None for printer in config.printers):
        return _nowhere
    from toughopt.agents import RemotePrinter, open_exchange

    exchange = open_exchange(config.store.url or "", workspace.folder / "artifacts")
    stack.callback(exchange.close)
    return lambda name, agent: RemotePrinter(name, agent, exchange)


def _nowhere(name: str, agent: str) -> Printer:
    raise ConfigError(f"there is no agent {agent} to serve {name}")


def _no_path(specimen: str) -> bytes | None:
    return None
