"""`toughopt check`: all that can be known to be wrong with a campaign before anything is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from toughopt.cli.output import campaign_argument, json_option, say, show_json, table

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig, DeviceConfig, PrinterConfig
    from toughopt.loop.workspace import Workspace

_Part = Literal["frame", "scale", "handler"]


@click.command()
@campaign_argument
@click.option("--artifacts", is_flag=True, help="Also verify the journal and every artifact against its hash.")
@click.option("--probe/--no-probe", default=True, help="Ask serial printers for their names; moves nothing.")
@json_option
def check_command(folder: Path, artifacts: bool, probe: bool, as_json: bool) -> None:
    """Validate DIR/campaign.toml and the machines it names, without moving or heating anything.

    What can be and is hardly meant, such as a force limit of 5 N, is a warning. A board that is reset when its port is
    opened is reset by the question: not while it prints.
    """
    from toughopt.errors import ConfigError, DeviceError, RunFailed
    from toughopt.loop import Campaign
    from toughopt.loop.doubts import doubts

    with Campaign.open(folder) as campaign:
        workspace = campaign.workspace
        config, recipe = workspace.config, workspace.recipe
        space = workspace.chooser.space
        problems = list(mistakes(workspace))
        warnings = list(doubts(workspace))
        damaged: list[str] = []
        if artifacts:
            workspace.store.verify()
            damaged = workspace.artifacts.verify(_digests(campaign.state))
        answers = _probed(config.printers) if probe else []
        facts: dict[str, Any] = {
            "campaign": config.name,
            "family": f"{recipe.family.name} {recipe.family.version}",
            "parameters": list(space.names),
            "objective": ", ".join(
                [
                    f"{config.objective.goal} {config.objective.name}",
                    *(f"{other.goal} {other.name}" for other in config.objective.against),
                ]
            ),
            "policy": config.optimizer.policy,
            "printers": [f"{printer.name} ({printer.profile} at {_place(printer)})" for printer in config.printers],
            "frame": config.frame.kind,
            "scale": config.scale.kind,
            "handler": config.handler.kind,
            "experiments": len(campaign.state.experiments),
            **({"answers": answers} if answers else {}),
            "problems": problems + damaged,
            "warnings": warnings,
        }
    if as_json:
        show_json(facts)
    else:
        cells = [
            [key, ", ".join(map(str, value)) or "none" if isinstance(value, list) else value]
            for key, value in facts.items()
            if key not in ("problems", "warnings")
        ]
        table("", ["", ""], cells)
        for warning in warnings:
            say(f"warning: {warning}")
    if problems:
        raise ConfigError("\n".join(problems))
    silent = [answer for answer in answers if " baud" not in answer]
    if silent:
        raise DeviceError("not every printer answers:\n" + "\n".join(silent))
    if damaged:
        raise RunFailed(f"{len(damaged)} artifacts are missing or changed:\n" + "\n".join(damaged))
    if not as_json:
        verdict = "nothing is wrong with it" if not warnings else "it can run; mind what was warned of"
        click.echo(verdict + ("" if probe else ", as far as can be told without asking machines"))


def _place(printer: PrinterConfig) -> str:
    return printer.url if printer.agent is None else f"{printer.url} of {printer.agent}"


def _probed(printers: Sequence[PrinterConfig]) -> list[str]:
    """What is behind the serial port of each printer of this PC; the same name is another port on another PC."""
    from toughopt.printing import scan_ports

    here = [printer for printer in printers if printer.agent is None and not printer.virtual]
    serial = {printer.url: printer.name for printer in here if "+http" not in printer.url}
    found = []
    for port in scan_ports(serial) if serial else ():
        said = f"{port.machine or 'a machine'}, {port.firmware}, at {port.baud} baud" if port.baud else port.note
        found.append(f"{serial[port.url]}: {said}")
    return found


def _digests(state: Any) -> set[str]:
    found = (getattr(e, name) for e in state.experiments.values() for name in ("mesh", "program", "curve", "path"))
    return {digest for digest in found if digest}


def mistakes(workspace: Workspace) -> Iterator[str]:
    """What campaign.toml asks for and there is not, one sentence each; no machine is asked."""
    from toughopt.errors import ToughoptError

    config, folder = workspace.config, workspace.folder
    for step in (workspace.check, *_of_devices(config, folder), *_of_printers(config)):
        try:
            step()
        except ToughoptError as error:
            yield str(error)
    yield from _of_surroundings(config)


def _of_devices(config: CampaignConfig, folder: Path) -> Iterator[Callable[[], None]]:
    """Whether frame, scale and handler have what their kinds need."""
    from functools import partial

    devices: tuple[tuple[_Part, DeviceConfig], ...] = (
        ("frame", config.frame),
        ("scale", config.scale),
        ("handler", config.handler),
    )
    for part, device in devices:
        if device.kind != "virtual" and (part, device.kind) != ("scale", "none"):
            yield partial(_check_device, part, device, folder)


def _check_device(part: _Part, device: DeviceConfig, folder: Path) -> None:
    from toughopt.errors import ConfigError
    from toughopt.frames import check_options
    from toughopt.loop.lab import machine_options
    from toughopt.tomlplace import said_at

    options = machine_options(part, device, folder)
    with said_at(folder, part):
        check_options(part, options)
    for place, words in _commands(options):
        missing = [word for index, word in enumerate(words) if not _is_there(word, index)]
        if missing:
            with said_at(folder, part, *place):
                raise ConfigError(
                    f"[{'.'.join((part, *place[:-1]))}] command names {missing[0]!r}, which is neither beside "
                    "campaign.toml nor a program of this computer"
                )
    watched = options.get("folder")
    if isinstance(watched, str) and not Path(watched).is_dir():
        with said_at(folder, part, "folder"):
            raise ConfigError(f"[{part}] folder = {watched!r} is no folder on this computer; make it, or name another")


def _commands(options: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    """Where each command stands in the options of a device, and its words."""
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _commands(value, *above, key)
        elif key == "command" and isinstance(value, list | tuple):
            yield (*above, key), [str(word) for word in value]


def _is_there(word: str, index: int) -> bool:
    """Whether a word of a command is a program, where it is the first, or no script that is missing."""
    if index == 0:
        return shutil.which(word) is not None
    return not word.endswith((".py", ".sh", ".ps1")) or Path(word).is_file()


def _of_printers(config: CampaignConfig) -> Iterator[Callable[[], object]]:
    """Whether virtual printers' clocks and faults are such."""
    from functools import partial

    from toughopt.virtual.firmware import Clock, FaultPlan

    for printer in config.printers:
        yield partial(Clock.parse, printer.clock)
        yield partial(FaultPlan.parse, printer.faults)


def _of_surroundings(config: CampaignConfig) -> Iterator[str]:
    if config.mixture is not None:
        yield config.mixture
    url = config.notify.url
    if url is not None and not url.startswith(("https://", "http://")):
        yield f"[notify] url = {url!r} is no web address; it begins with https://"
