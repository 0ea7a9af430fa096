"""The command line of the virtual printer: options in, a served firmware out."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from toughopt.errors import ToughoptError
from toughopt.virtual.firmware.control import Control
from toughopt.virtual.firmware.emulator import VirtualFirmware
from toughopt.virtual.firmware.faults import FaultPlan
from toughopt.virtual.firmware.options import FirmwareOptions
from toughopt.virtual.firmware.ports import PtyPort, TcpPort
from toughopt.virtual.firmware.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from toughopt.profiles import PrinterProfile
    from toughopt.virtual.firmware.ports import Port


def serve(
    firmware: VirtualFirmware,
    *,
    tcp: int | None = 0,
    pty: bool = False,
    link: Path | None = None,
    control: bool = False,
    wait: bool = False,
) -> None:
    """Serve until interrupted or told to quit; says on standard output, in one JSON line, where.

    Raises
    ------
    LinkLost
        If the TCP port is taken.
    InputError
        If a pseudo-terminal is wanted where there are none.
    """
    port: Port = PtyPort(link) if pty else TcpPort(tcp or 0)
    listener = Control(sys.stdin.fileno(), sys.stdout) if control else None
    server = Server(firmware, port, listener, wait=wait)
    if listener is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=listener.read_all, args=(server.wake,), name="control", daemon=True).start()
    try:
        print(json.dumps({"url": port.url, "pid": os.getpid(), "name": firmware.profile.name}), flush=True)
        server.run()
    except KeyboardInterrupt:
        return


def serve_command(
    *,
    tcp: int | None,
    pty: bool,
    printer: str,
    clock: str | float = "max",
    faults: Iterable[str] = (),
    seed: int = 0,
    link: Path | None = None,
    folder: Path | None = None,
    options: FirmwareOptions | None = None,
    wait: bool = False,
) -> None:
    """What `toughopt virtual-printer` does.

    Raises
    ------
    UnknownName, ConfigError, InputError
        If the profile, the clock or a fault is not one.
    LinkLost
        If the TCP port is taken.
    """
    from toughopt.profiles import load_profile

    firmware = VirtualFirmware(
        load_profile(printer, folder), seed=seed, clock=clock, faults=FaultPlan.parse(faults), options=options
    )
    serve(firmware, tcp=tcp, pty=pty, link=link, wait=wait)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m toughopt.virtual.firmware`; returns the exit code."""
    given = _parser().parse_args(arguments)
    options = FirmwareOptions(
        emergency_parser=not given.no_emergency_parser,
        advanced_ok=given.advanced_ok,
        skip_repeated=given.skip_repeated,
        reset_on_connect=given.reset_on_connect,
        log_commands=None if given.log < 0 else given.log,
    )
    try:
        firmware = VirtualFirmware(
            _profile(given), seed=given.seed, clock=given.clock, faults=FaultPlan.parse(given.fault), options=options
        )
        serve(firmware, tcp=given.tcp, pty=given.pty, link=given.link, control=given.control, wait=given.wait)
    except ToughoptError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _profile(given: argparse.Namespace) -> PrinterProfile:
    if given.profile_json is not None:  # from a parent that has checked it: no need to load what checks
        return cast("PrinterProfile", json.loads(given.profile_json, object_hook=lambda part: SimpleNamespace(**part)))
    from toughopt.profiles import load_profile

    return load_profile(given.printer, given.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toughopt.virtual.firmware", description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--tcp", type=int, default=0, metavar="PORT", help="TCP port on 127.0.0.1; 0 is any")
    where.add_argument("--pty", action="store_true", help="a pseudo-terminal")
    parser.add_argument("--link", type=Path, help="a name for the pseudo-terminal that stays the same")
    parser.add_argument("--printer", default="virtual", help="profile: a name or a TOML file")
    parser.add_argument("--folder", type=Path, help="where profiles are looked up first")
    parser.add_argument("--profile-json", help=argparse.SUPPRESS)
    parser.add_argument("--clock", default="max", help="max, real or a factor")
    parser.add_argument("--wait", action="store_true", help="the clock stands still until the first host is there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=...", help="as often as wanted")
    parser.add_argument("--control", action="store_true", help="JSON requests on standard input")
    parser.add_argument("--log", type=int, default=0, metavar="N", help="keep the last N executed commands; -1: all")
    parser.add_argument("--advanced-ok", action="store_true", help="ok N.. P.. B..")
    parser.add_argument(
        "--skip-repeated", action="store_true", help="pass over the last two lines when they come again"
    )
    parser.add_argument("--no-emergency-parser", action="store_true", help="M108, M112, M410 wait for their turn")
    parser.add_argument("--reset-on-connect", action=argparse.BooleanOptionalAction, default=None)
    return parser
