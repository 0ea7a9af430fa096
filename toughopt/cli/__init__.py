"""The command line: parse, call, print. Each command is imported when it is called, so that --help is instant."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from toughopt._version import __version__
from toughopt.errors import ToughoptError, UnknownName

_COMMANDS = {
    "run": "run",
    "new": "setup",
    "check": "checking",
    "status": "status",
    "suggest": "steer",
    "tell": "steer",
    "add": "steer",
    "fail": "steer",
    "ctl": "steer",
    "families": "parts",
    "policies": "policies",
    "printers": "parts",
    "make": "parts",
    "slice": "parts",
    "gcode": "programs",
    "print": "machines",
    "console": "machines",
    "virtual-printer": "machines",
    "analyze": "curves",
    "backtest": "history",
    "replay": "history",
    "simulate": "simulate",
    "export": "history",
    "import": "importing",
    "plot": "views",
    "watch": "views",
    "monitor": "monitor",
    "agent": "agents",
    "report": "report",
    "first-print": "first_print",
    "doctor": "doctor",
    "schema": "schema",
    "completion": "schema",
}


class _Lazy(click.Group):
    """A group whose commands are imported one by one, as they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = import_module(f"toughopt.cli.{_COMMANDS[name]}")
        command: click.Command = getattr(module, f"{name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise UnknownName("command", args[0], _COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _HELP[name]) for name in _COMMANDS])


_HELP = {
    "run": "run or resume the loop",
    "new": "write a commented campaign.toml",
    "check": "validate a campaign and the machines it names",
    "status": "where every experiment is, and the best so far",
    "suggest": "ask for designs to make by hand",
    "tell": "say what an experiment gave",
    "add": "have a design of your own made",
    "fail": "declare an experiment failed",
    "ctl": "steer a running loop from anywhere",
    "families": "what can be made",
    "policies": "what can choose the designs",
    "printers": "on what, and which machines are connected",
    "make": "one design to mesh, G-code, picture and figures",
    "slice": "any mesh to G-code",
    "gcode": "inspect and check any G-code",
    "print": "stream a program to a machine",
    "console": "talk G-code to a machine",
    "virtual-printer": "serve the virtual printer to any host software",
    "analyze": "test-machine files to toughness and its companions",
    "backtest": "what other policies would have found",
    "replay": "derive every decision of a logged campaign again",
    "simulate": "whole campaigns on a virtual clock, one or a thousand",
    "export": "one row an experiment, to CSV, JSON Lines or Parquet",
    "import": "earlier results into a campaign",
    "plot": "figures to files",
    "watch": "a live window",
    "report": "one self-contained HTML file about a campaign",
    "monitor": "the campaign as a web page, with its controls",
    "agent": "serve the machines of this PC to a campaign on another",
    "first-print": "ask for a printer's limits and write its profile",
    "doctor": "is this computer fit to run a campaign",
    "schema": "JSON Schema of campaign.toml or a printer profile",
    "completion": "let the shell complete commands and options",
}


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version", prog_name="toughopt")
def group() -> None:
    """Find the toughest structure that a printer can make: design, print, crush, learn, repeat.

    \b
    Start with `toughopt run`: a campaign on the virtual lab, in the folder ./campaign.
    Exit codes: 0 done, 1 the run failed, 2 wrong usage or bad input, 3 a device failed,
    4 another process conducts the campaign, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code. Anticipated errors are one message on stderr, never a traceback."""
    try:
        code = group.main(arguments, prog_name="toughopt", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return 130
    except ToughoptError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `toughopt status DIR | head`: what is left has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that nothing is said at exit either
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {os.fsdecode(error.filename)}: {error.strerror}", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0
