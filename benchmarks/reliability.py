"""The reliability book: writes docs/reliability.md from what the long trials left in `benchmarks/results/`.

    python benchmarks/reliability.py

Measures nothing itself: each row of the page names the command that counts it again, and the option or variable with
which that command keeps its counts. What has left no file is `not run here`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "reliability.md"
Cells = tuple[str, str]  # how many were tried, what went wrong


def main() -> None:
    """Write the page."""
    lines = [_HEAD]
    for what, file, count, command in _TRIALS:
        path = RESULTS / file
        found = count(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        tried, wrong = found or ("not run here", "")
        lines.append(f"| {what} | {tried} | {wrong} | {command} |")
    PAGE.write_text("\n".join([*lines, _TAIL]), encoding="utf-8")


def _soak(trial: str, tried: str, wrong: str) -> Callable[[Mapping[str, Any]], Cells | None]:
    """A count of all runs of one long trial; the texts are filled in with its sums.

    Runs whose assertions did not hold have no figures: they are counted, and told first.
    """

    def count(kept: Mapping[str, Any]) -> Cells | None:
        total: Counter[str] = Counter()
        for name, figures in kept.items():
            if trial in name:
                total.update(figures if "trials_failed" in figures else {**figures, "runs": 1})
        if not total:
            return None
        failed = f"**{total['trials_failed']} more failed**; in the others " if total["trials_failed"] else ""
        return tried.format_map(total), failed + wrong.format_map(total)

    return count


def _lines(kept: list[dict[str, Any]]) -> Cells:
    total: Counter[str] = Counter()
    for row in kept:
        ended = sum(row["stated"].values())
        total.update({key: row[key] for key in ("sent", "faults", "prints", "strays", "twice", "unnoticed", "altered")})
        total.update(ended=ended, theory=row["altered_expected"])
    return (
        f"{total['sent']:,} lines in {total['prints']:,} prints with {total['faults']:,} faults in {len(kept)} mixes",
        f"{total['twice']} lines lost, doubled or out of order; {total['unnoticed']} of {total['strays']} strays "
        f"(tails of lines that the firmware ran as commands) not noticed within a minute; {total['altered']} lines "
        f"altered although their checksum held (theory: {total['theory']:.1f}); {total['ended']} prints ended early, "
        "with the reason",
    )


def _damage(kept: Mapping[str, Any]) -> Cells | None:
    if (fuzz := kept.get("fuzz")) is None:
        return None
    swapped, others = fuzz["one_valid_unit_into_another"], fuzz["outcomes"]
    silent = others.get("SILENT", 0)
    return (
        f"{fuzz['files']:,} files in {fuzz['layouts']} layouts, {swapped['SILENT']:,} of them with one valid unit for "
        "another, which nothing could tell",
        f"{silent} of the others gave a wrong toughness without a word; {fuzz['failures'] - silent} tracebacks; "
        f"the slowest took {fuzz['slowest_s']:.2f} s",
    )


def _stated(kept: Mapping[str, Any]) -> Cells | None:
    if (coverage := kept.get("coverage")) is None:
        return None
    return (
        f"{coverage['cases']:,} tests of known toughness",
        f"{1.0 - coverage['inside_stated']:.1%} outside (5 % are expected); {coverage['without_a_number']} without one",
    )


def _meshes(kept: Mapping[str, Any]) -> Cells | None:
    families = [each for each in kept.get("exactness", kept).values() if each.get("designs")]
    if not families:
        return None
    total: Counter[str] = Counter()
    for each in families:
        total.update({key: value for key, value in each.items() if isinstance(value, int)})
    return (
        f"{total['designs']:,} random designs of {len(families)} families and forms; "
        f"{total['looked_at_for_self_intersections']:,} looked at for self-intersections",
        f"{total['not_watertight']} not closed, {total['not_one_body']} in pieces, {total['self_intersecting']} "
        f"intersect themselves, {total['box_wrong']} larger or smaller than asked for; "
        f"{total['volume_error_above_half_a_per_cent']} differ by more than 0.5 % from the volume worked out otherwise "
        f"(the worst by {max(each['volume_error_max'] for each in families):.2%})",
    )


def _press(kept: Mapping[str, Any]) -> Cells:
    return (
        f"{kept['designs']} of 600 designs, {kept['replicates']} parts each",
        f"{kept['struts_misread']} designs whose struts were misread; rank correlation with the published tests "
        f"{kept['all']['spearman']:.2f}; scatter over the published, from the weakest quarter to the strongest: "
        + ", ".join(f"{ratio:.2f}" for ratio in kept["all"]["scatter_over_published_by_quartile"]),
    )


def _laid_down(kept: Mapping[str, Any]) -> Cells:
    families = {name: each for name, each in kept.items() if each["designs"]}
    worst = max(each["error_percent_max"] for each in families.values())
    return (
        ", ".join(f"{each['designs']} of {name}" for name, each in families.items()),
        f"{sum(each['refused_or_failed'] for each in families.values())} refused or failed the check, "
        f"{sum(each['with_a_line_outside'] for each in families.values())} with a line outside; mass within "
        f"{max(each['error_percent_median'] for each in families.values())} % (medians), {worst} % at worst",
    )


def _month(kept: Mapping[str, Any]) -> Cells:
    return (
        f"{kept['experiments']:,} experiments of five printers around one press, in {kept['wall_min']:.0f} minutes",
        f"{kept['failed']} failed with their reason; the bottleneck ({kept['bottleneck']}) was busy for "
        f"{kept['utilisation'][kept['bottleneck']]:.1%} of the time",
    )


_SOAK = "`make soak`: `tests/soak/{}.py`"
_TRIALS: list[tuple[str, str, Callable[[Any], Cells | None], str]] = [
    (
        "SIGKILL of a running virtual campaign at random moments, also in the middle of a write",
        "soak.json",
        _soak(
            "test_kills",
            "{kills} kills of {runs} campaigns with {experiments} experiments",
            "{lost} results lost, {double} experiments printed or counted twice; journal and artifacts whole",
        ),
        _SOAK.format("test_kills"),
    ),
    (
        "Chaos: agents killed, lines to the database cut, the database restarted, printers that halt, lose power or "
        "the line, hands and press that fail",
        "soak.json",
        _soak(
            "test_whatever_dies",
            "{runs} campaigns, {experiments} experiments, {programs_begun} prints: {agents_killed} agents killed, "
            "{lines_cut} cuts, {database_restarts} restarts, {printer_faults} faults, {power_cuts} power cuts, "
            "{press_and_hands_failed} failures of press and hands",
            "{double} prints or tests twice, {on_uncleared_beds} on a bed that was not clear; {failed} experiments "
            "failed with their reason, all {complete} others came to their end",
        ),
        _SOAK.format("test_chaos"),
    ),
    (
        "The same loop on a virtual clock, five printers, everything fails now and then",
        "soak.json",
        _soak(
            "test_a_simulated_fleet",
            "{runs} campaigns, {experiments} experiments in {days_simulated:.1f} simulated days",
            "{double} prints or tests twice, {on_uncleared_beds} on a bed that was not clear; {failed} failed with "
            "their reason, {uncertain} were uncertain and settled",
        ),
        _SOAK.format("test_chaos"),
    ),
    (
        "Decisions of logged campaigns, derived again",
        "soak.json",
        _soak("test_replays", "{decisions} decisions of {runs} campaigns", "{differences} differ"),
        _SOAK.format("test_replays"),
    ),
    (
        "A serial line that flips, drops and doubles bytes and loses acknowledgements, at rates from 1e-5 to 1e-2",
        "faults.json",
        _lines,
        "`benchmarks/faults.py --results benchmarks/results/faults.json`",
    ),
    (
        "Test machines' files, damaged as people, programs and disks do",
        "curves.json",
        _damage,
        "`benchmarks/curves.py fuzz --results benchmarks/results/curves.json`",
    ),
    (
        "The true toughness within the stated 95 % uncertainty",
        "curves.json",
        _stated,
        "`benchmarks/curves.py coverage --results benchmarks/results/curves.json`",
    ),
    (
        "Meshes of random designs",
        "geometry.json",
        _meshes,
        "`benchmarks/geometry.py --only exactness --json`",
    ),
    (
        "Random designs sliced, checked and laid down, beside the mass of their solids",
        "deposition.json",
        _laid_down,
        "`benchmarks/deposition.py --results FILE --summary benchmarks/results/deposition.json`",
    ),
    (
        "A fleet on a virtual clock, with real meshing and slicing",
        "month.json",
        _month,
        "`benchmarks/fleet.py month --experiments 1000 --json benchmarks/results/month.json`",
    ),
    (
        "Published crossed barrels, from G-code to the virtual press",
        "press.json",
        _press,
        "`benchmarks/press.py gcode --results benchmarks/results/press.json`",
    ),
]

_HEAD = """\
# Reliability

Written by `python benchmarks/reliability.py` from what the long trials left in `benchmarks/results/`; each can be run
in pieces. Linux, two cores. Nothing here is about hardware: no specimen was made on a real machine yet.

## Counted in long trials

`make soak` runs the long trials of `tests/soak`, and `TOUGHOPT_SOAK_RESULTS=benchmarks/results/soak.json` keeps their
counts. A piece of them is `python -m pytest -m soak tests/soak/test_chaos.py -k soak-3`.

| what | tried | went wrong | counted again by |
| --- | --- | --- | --- |"""
_TAIL = """
## Tried in every run of the tests

| what | by |
| --- | --- |
| ten kills of a campaign at chosen moments: nothing lost, nothing printed twice | `tests/loop/test_closed_loop.py` |
| a disk that fills up, wherever it is noticed: nothing lost, printers cold | `tests/loop/test_full_disk.py` |
| heaters are off, or said not to be, after an exception, Ctrl-C, SIGTERM, SIGKILL, a suspended host, a lost port, \
halted firmware, in each state of the machine | `tests/printing/test_safety.py` |
| damaged test machines' files, one portion of those above | `tests/compression/test_fuzz.py` |
| random designs of every family are closed, of one piece, and as heavy as said | `tests/families` |
| campaigns whose decisions are derived again | `tests/replay` |

The chaos trial needs PostgreSQL; a short one of it is among the full tests (`make test-full`).
"""

if __name__ == "__main__":
    main()
