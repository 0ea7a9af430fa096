"""Machines by hand: print, console, virtual-printer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import existing_file, say

if TYPE_CHECKING:
    from toughopt.printing import PrintOutcome

_printer = click.option(
    "-p", "--printer", default="virtual", show_default=True, help="Printer profile, or a TOML file."
)
_port = click.option("--port", required=True, help="COM3, /dev/ttyUSB0, socket://host:port, ...")
_MOST_FAULTS = 5  # are told in full; on a noisy line there are thousands, and all but a few are mended at once
_LARGE_BYTES = 50_000_000  # from here on a program is streamed from disk
_wire_log = click.option("--wire-log", type=click.Path(path_type=Path, dir_okay=False), help="Log every byte there.")


@click.command("print")
@click.argument("file", type=existing_file())
@_port
@_printer
@_wire_log
def print_command(file: Path, port: str, printer: str, wire_log: Path | None) -> int:
    """Stream a program to a machine, with progress, and leave it safe whatever happens.

    A program that exceeds the printer's limits is refused before anything is sent.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from toughopt.gcode import read_program
    from toughopt.printing import MarlinPrinter, PrintEvent, PrintStatus, ended_like_ctrl_c, open_printer
    from toughopt.profiles import load_profile

    machine = open_printer(printer, port, load_profile(printer), wire_log=wire_log)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    try:
        with ended_like_ctrl_c(), Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(file.name, total=1.0)
            faults = 0

            def show(event: PrintEvent) -> None:
                nonlocal faults
                if event.kind == "progress":
                    progress.update(task, completed=float(event.data.get("fraction", 0.0)))
                elif event.kind == "fault":
                    faults += 1
                    if faults <= _MOST_FAULTS:
                        progress.console.print(fault_text(event.data), markup=False, highlight=False)

            if isinstance(machine, MarlinPrinter) and file.stat().st_size > _LARGE_BYTES:
                outcome = machine.print_file(file, show)
            else:
                outcome = machine.print(read_program(file), show)
    finally:
        machine.close()
    if faults > _MOST_FAULTS:
        say(f"and {faults - _MOST_FAULTS} faults more; --wire-log FILE keeps every byte")
    if not outcome.heaters_off:
        say(f"the heaters of {port} are NOT known to be off: go and look, pull the plug")
    click.echo(_ended(outcome))
    return 0 if outcome.status is PrintStatus.PRINTED and outcome.heaters_off else 3


#: What faults without a text of their own mean.
_FAULTS: Mapping[str, str] = {
    "garbled": "an answer was garbled",
    "line_error": "the machine refused a line that arrived damaged",
    "probe": "no answer to a line; the machine is asked whether it arrived",
    "resend": "the machine asks for a line once more",
    "resend_doubted": "a line was asked for that the machine has had; not sent again yet",
    "stale_ok": "a line was acknowledged twice",
    "stray": "the machine ran a command that nobody sent",
    "unknown_command": "the machine does not know a command",
    "unsupported": "the machine does not know a command that it may do without",
    "wait": "the machine waits for a line that was sent",
}


def fault_text(data: Mapping[str, Any]) -> str:
    """A fault on one line: what it means, and what the machine said of it."""
    kind = str(data.get("fault", "fault"))
    about = data.get("reason", data.get("text", data.get("command", "")))
    if not about and "line" in data:
        about = f"line {data['line']}"
    parts = ("fault", _FAULTS.get(kind, kind.replace("_", " ")), " ".join(str(about).split()))
    return ": ".join(filter(None, parts))


def _ended(outcome: PrintOutcome) -> str:
    from toughopt.printing import PrintStatus

    if outcome.status is not PrintStatus.PRINTED:
        return f"{outcome.status}: {outcome.reason}"
    again = f", {outcome.resends} of them sent again" if outcome.resends else ""
    return f"printed in {outcome.duration_s / 60.0:.1f} min: {outcome.lines_sent} lines{again}"


@click.command()
@_port
@_printer
@_wire_log
def console_command(port: str, printer: str, wire_log: Path | None) -> None:
    """Talk G-code to a machine; its heaters are off when you leave (Ctrl-D).

    What exceeds the printer's limits is not sent; where commands come from a file, it ends there.
    """
    from toughopt.errors import ProgramError
    from toughopt.printing import Console
    from toughopt.profiles import load_profile

    with Console(port, load_profile(printer), wire_log=wire_log) as console:
        say("type G-code; Ctrl-D leaves, heaters off")
        for line in sys.stdin:
            try:
                for reply in console.command(line.strip()):
                    click.echo(reply)
            except ProgramError as error:
                if not sys.stdin.isatty():
                    raise
                say(str(error))


@click.command("virtual-printer")
@click.option("--tcp", type=click.IntRange(0, 65535), help="Serve on this TCP port (0: any that is free).")
@click.option("--pty", is_flag=True, help="Serve on a pseudo-terminal (not on Windows).")
@_printer
@click.option("--clock", default="max", show_default=True, help="max, real, or a factor.")
@click.option("--wait", is_flag=True, help="Let the clock stand still until the first host is there.")
@click.option("--fault", "faults", multiple=True, help="NAME=..., as often as wanted.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def virtual_printer_command(
    tcp: int | None, pty: bool, printer: str, clock: str, wait: bool, faults: tuple[str, ...], seed: int
) -> None:
    """Serve the virtual printer for any host software, until Ctrl-C."""
    from toughopt.virtual.firmware import serve_command

    if tcp is not None and pty:
        raise click.UsageError("give either --tcp or --pty")
    serve_command(tcp=tcp, pty=pty, printer=printer, clock=clock, faults=faults, seed=seed, wait=wait)
