"""Every line executed once and in order, or a stated fault: the print host on a line that drops, doubles and garbles.

    python benchmarks/faults.py [--lines N] [--faults N] [--seed S] [--mix NAME …] [--results FILE] [--table]

The host is the real one (its job, stream and parser); the machine is the model in `faulty_line.py`. Wire, machine and
host share a simulated clock, so that an hour of printing takes seconds. Each mix runs until it has sent `--lines` lines
or suffered `--faults` faults, whichever comes first, in prints of `--print-lines` at most. With `--results` each print
is kept in a file when it has ended, and a run that was interrupted goes on where it was; `--table` only shows what is
kept. Columns: lines executed twice, out of order or never; lines that
were altered although their checksum held, beside the number that theory predicts; tails of lines that the firmware ran
as commands, how many oks or positions told of such, and how many went unnoticed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for the model, from wherever this is imported

from faulty_line import Mix, Simulation, move

from toughopt.errors import LinkLost
from toughopt.printing.base import PrintEvent
from toughopt.printing.dialogue import Machine
from toughopt.printing.job import Ending, PrintJob
from toughopt.printing.lines import Command
from toughopt.printing.pace import StreamSettings
from toughopt.printing.states import State, StateMachine
from toughopt.printing.stream import LineStream
from toughopt.profiles import Limits

MATCH_S = 60.0  # within which a stray has to be noticed


def mixes() -> list[Mix]:
    """At least twenty, from 1e-5 to 1e-2."""
    found = []
    for rate in (1e-5, 1e-4, 1e-3, 1e-2):
        tag = f"{rate:.0e}"
        found.append(Mix(f"flip {tag}", flip=rate))
        found.append(Mix(f"bytes {tag}", flip=rate, drop=rate, double=rate, lose_newline=rate))
        found.append(Mix(f"oks {tag}", lost_ok=rate, garbled_ok=rate))
        found.append(
            Mix(f"all {tag}", flip=rate, drop=rate, double=rate, lost_ok=rate, garbled_ok=rate, lose_line=rate)
        )
    found += [
        Mix("replies 1e-3", reply_flip=1e-3, reply_drop=1e-3),
        Mix("replies 1e-2", reply_flip=1e-2, reply_drop=1e-2),
        Mix("late 1e-2", late=1e-2, flip=1e-2),
        Mix("slow 1e-3", slow=1e-3, flip=1e-3, lost_ok=1e-3),
        Mix("silent 1e-3", silent_duplicates=True, flip=1e-3, lost_ok=1e-3, lose_line=1e-3),
        Mix("silent 1e-2", silent_duplicates=True, flip=1e-2, lost_ok=1e-2, lose_line=1e-2),
        Mix("spurious 1e-3", spurious_ok=1e-3, flip=1e-3),
        Mix("pairs 1e-2", flip_pair=1e-2),
        Mix("swaps 1e-3", swap=1e-3),
        Mix("window flip 1e-3", window="on", flip=1e-3),
        Mix("window flip 1e-2", window="on", flip=1e-2),
        Mix("window all 1e-3", window="on", flip=1e-3, drop=1e-3, double=1e-3, lost_ok=1e-3, garbled_ok=1e-3),
        Mix("window all 1e-2", window="on", flip=1e-2, drop=1e-2, double=1e-2, lost_ok=1e-2, garbled_ok=1e-2),
        Mix("advanced all 1e-3", window="on", advanced_ok=True, flip=1e-3, drop=1e-3, lost_ok=1e-3, garbled_ok=1e-3),
        Mix("advanced all 1e-2", window="on", advanced_ok=True, flip=1e-2, drop=1e-2, lost_ok=1e-2, garbled_ok=1e-2),
    ]
    return found


@dataclass
class Result:
    """How the prints with one mix ended."""

    mix: str
    sent: int = 0
    resends: int = 0
    faults: int = 0
    prints: int = 0
    stated: dict[str, int] = field(default_factory=dict)  # why prints ended before their end
    altered: int = 0
    altered_expected: float = 0.0
    strays: int = 0
    strays_seen: int = 0
    unnoticed: int = 0  # strays without a record within a minute
    twice: int = 0  # numbered lines executed twice, out of order or not at all
    overflows: int = 0

    @property
    def is_sound(self) -> bool:
        """Each line once and in order as far as it went, and every doubled command on record."""
        return self.twice == 0 and self.unnoticed == 0

    def add(self, simulation: Simulation, stream: LineStream, ending: Ending, sent: int, noticed: list[float]) -> None:
        """Count one print."""
        tally = simulation.tally
        self.prints += 1
        self.sent += sent
        self.resends += stream.resends
        self.faults += sum(tally.faults.values())
        self.altered += tally.altered
        self.altered_expected += tally.altered_expected
        self.strays += len(tally.strays)
        self.strays_seen += stream.strays
        self.unnoticed += unmatched(tally.strays, noticed)
        self.twice += tally.wrong_order
        self.overflows += tally.overflows
        if ending.status != "printed":
            self.stated[ending.reason] = self.stated.get(ending.reason, 0) + 1
        elif tally.executed != sent:
            self.twice += 1


def run(mix: Mix, seed: int, lines: int, faults: int) -> Result:
    """Print with one mix of faults, again where a print ends early, until enough lines or faults have been seen."""
    result = Result(mix.name)
    while result.sent < lines and result.faults < faults:
        print_once(mix, result, seed + result.prints, lines - result.sent, faults - result.faults)
    return result


def print_once(mix: Mix, result: Result, seed: int, lines: int, faults: int) -> None:
    """One print, counted into `result`."""
    simulation = Simulation(mix, seed)
    noticed: list[float] = []
    count = 0

    def program() -> Iterator[Command]:
        nonlocal count
        while count < lines and sum(simulation.tally.faults.values()) < faults:
            at = (10 + count % 1999 / 10, 10 + count % 1789 / 10, None, count * 0.05)
            yield Command(move(count).encode("ascii"), count + 1, position=at)
            count += 1
        yield Command(b"M400", solo=True, patience_s=60.0, limit_s=900.0)
        yield Command(b"M84")

    def listen(event: PrintEvent) -> None:
        if event.kind == "fault" and event.data.get("fault") == "stray":
            noticed.extend([simulation.now()] * int(event.data.get("count", 1)))

    states = StateMachine(mix.name)
    for state in (State.CONNECTING, State.IDLE, State.STREAMING):
        states.to(state, "simulated")
    stream = LineStream(program(), StreamSettings(window=mix.window, calm_lines=20))
    job = PrintJob(simulation, stream, states, Machine(), Limits(), listen, lines, 0.0)  # type: ignore[arg-type]
    try:
        ending = job.run()
    except LinkLost as error:
        raise RuntimeError("the simulated line does not break") from error
    result.add(simulation, stream, ending, count, noticed)


def unmatched(happened: list[float], noticed: list[float]) -> int:
    """How many of the events have no record of their own within a minute after them."""
    records = deque(sorted(noticed))
    left = 0
    for when in sorted(happened):
        while records and records[0] < when:
            records.popleft()
        if records and records[0] <= when + MATCH_S:
            records.popleft()
        else:
            left += 1
    return left


class Kept:
    """Results in a file, one row a mix; without a path they are only in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        rows = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else []
        self._of = {row["mix"]: Result(**row) for row in rows}

    def result(self, mix: Mix) -> Result:
        """What is known of a mix so far."""
        return self._of.setdefault(mix.name, Result(mix.name))

    def keep(self) -> None:
        """Write the file anew."""
        if self._path is not None:
            order = [mix.name for mix in mixes()]
            rows = sorted((asdict(result) for result in self._of.values()), key=lambda row: order.index(row["mix"]))
            text = "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n"
            fresh = self._path.with_suffix(".part")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._path)


COLUMNS = {"mix": -20, "lines": 9, "faults": 8, "resends": 8, "twice": 6, "altered": 8, "theory": 8}
COLUMNS |= {"strays": 7, "seen": 6, "missed": 7}


def row_of(result: Result) -> str:
    """One line of the table."""
    verdict = "" if result.is_sound else "NOT SOUND, "
    ended = sum(result.stated.values())
    return (
        f"{result.mix:<20}{result.sent:>9}{result.faults:>8}{result.resends:>8}{result.twice:>6}{result.altered:>8}"
        f"{result.altered_expected:>8.1f}{result.strays:>7}{result.strays_seen:>6}{result.unnoticed:>7}  {verdict}"
        f"{result.prints - ended} printed, {ended} ended with a stated fault"
        f"{': ' + next(iter(result.stated))[:60] if ended else ''}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--print-lines", type=int, default=100_000)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mix", action="append", help="only mixes whose name contains this")
    parser.add_argument("--results", type=Path, help="keep the results in this file, and go on from it")
    parser.add_argument("--table", action="store_true", help="print nothing, show what is kept")
    options = parser.parse_args()
    kept = Kept(options.results)
    print("".join(f"{name:{'<' if width < 0 else '>'}{abs(width)}}" for name, width in COLUMNS.items()) + "  ending")
    sound = True
    for mix in mixes():
        if options.mix and not any(part in mix.name for part in options.mix):
            continue
        result = kept.result(mix)
        while not options.table and result.sent < options.lines and result.faults < options.faults:
            lines = min(options.print_lines, options.lines - result.sent)
            print_once(mix, result, options.seed + result.prints, lines, options.faults - result.faults)
            kept.keep()
        sound = sound and result.is_sound
        print(row_of(result), flush=True)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
