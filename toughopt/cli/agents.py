"""`toughopt agent`: serve the machines of this PC to a campaign that is conducted on another."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toughopt.cli.output import say

if TYPE_CHECKING:
    from toughopt.printing import Printer


@click.command()
@click.argument("name")
@click.argument("place", metavar="DIR|URL")
@click.option(
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME=URL[,PROFILE]",
    help="A machine of this PC, as often as wanted.",
)
@click.option(
    "--stale-s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=1.0),
    help="Without a sign of life for so long, this PC counts as lost, and its prints as uncertain.",
)
def agent_command(name: str, place: str, machines: tuple[str, ...], stale_s: float) -> None:
    """Serve the machines of this PC to a campaign on PostgreSQL, until Ctrl-C.

    DIR is a folder with the campaign's campaign.toml, whose printers with agent = "NAME" are served; URL is the
    campaign's database, postgresql://user:password@host:port/database. Machines given by --machine come before those of
    the file, because ports have other names on each PC.
    """
    from toughopt.agents import Agent, open_exchange
    from toughopt.printing.interrupts import heeded_signals

    with ExitStack() as stack:
        url, wanted = _wanted(name, place, machines)
        printers = {each: _opened(stack, each, *found) for each, found in wanted.items()}
        exchange = open_exchange(url, _cache())
        stack.callback(exchange.close)
        agent = Agent(name, exchange, printers, stale_s=stale_s, say=say)
        for sent in (signal.SIGINT, *heeded_signals()):
            stack.callback(signal.signal, sent, signal.signal(sent, lambda *_: agent.stop()))
        agent.serve()


def _wanted(name: str, place: str, machines: tuple[str, ...]) -> tuple[str, dict[str, tuple[str, str]]]:
    """The database, and the machines: name -> (url, profile)."""
    from toughopt.errors import ConfigError

    found: dict[str, tuple[str, str]] = {}
    url: str | None = place
    if "://" not in place:
        from toughopt.campaign import load_config

        config = load_config(Path(place) / "campaign.toml")
        url = config.store.url
        if url is None:
            raise ConfigError(
                f"{place}/campaign.toml names no database; several PCs need [store] url = 'postgresql://...'"
            )
        mine = [printer for printer in config.printers if printer.agent == name]
        found = {printer.name: (printer.url, printer.profile) for printer in mine}
    for text in machines:
        machine, equals, rest = text.partition("=")
        if not equals or not rest:
            raise click.BadParameter(f"{text!r} is not of the form NAME=URL[,PROFILE]", param_hint="--machine")
        address, _, profile = rest.partition(",")
        found[machine] = (address, profile or "virtual")
    if not found:
        raise ConfigError(
            f'{name} has no machines; give --machine NAME=URL,PROFILE, or write agent = "{name}" under a [[printers]]'
        )
    assert url is not None
    return url, found


def _opened(stack: ExitStack, name: str, url: str, profile: str) -> Printer:
    from toughopt.printing import open_printer
    from toughopt.profiles import load_profile

    loaded = load_profile(profile)
    if url == "virtual":
        from toughopt.virtual.firmware import VirtualPrinterProcess

        url = stack.enter_context(VirtualPrinterProcess(loaded)).url
    printer = open_printer(name, url, loaded)
    stack.callback(printer.close)
    return printer


def _cache() -> Path:
    """Where programs that were fetched are kept."""
    import os

    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "toughopt" / "artifacts"
