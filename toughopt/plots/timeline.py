"""Who did what when: printers, press and people as bars over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from toughopt.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.journal import Experiment, State

_MOST = 60  # experiments: the newest
_MOST_NUMBERED = 30


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work: on which row, what it was, from when to when, for which experiment."""

    row: str
    work: str
    begin: datetime
    end: datetime
    experiment_id: int


_COLOURS = {
    "printing": BLUE,
    "waits on the bed": SKY,
    "build, slice": PURPLE,
    "weigh": GREEN,
    "crush": ORANGE,
    "made by hand": GREY,
    "failed": RED,
}


def spans(experiments: Iterable[Experiment]) -> list[Span]:
    """What the journal's times say of who worked on what."""
    found = []
    for e in experiments:
        at = {stage: datetime.fromisoformat(time) for stage, time in e.times.items()}
        if e.manual:
            end = at.get("complete") or at.get("failed")
            if end is not None:
                found.append(Span("a person", "made by hand", at["proposed"], end, e.id))
            continue
        printer = e.printer or "printer"
        pieces = (
            ("slicer", "build, slice", "proposed", "sliced"),
            (printer, "printing", "printing", "printed"),
            (printer, "waits on the bed", "printed", "cleared"),
            ("press", "weigh", "cleared", "weighed"),
            ("press", "crush", "weighed", "complete"),
        )
        found += [Span(row, work, at[a], at[b], e.id) for row, work, a, b in pieces if a in at and b in at]
        if "failed" in at and not ("printed" in at or "printing" not in at):
            found.append(Span(printer, "failed", at["printing"], at["failed"], e.id))
    return found


def timeline_figure(state: State) -> Figure:
    """A Gantt chart of the newest experiments."""
    import matplotlib.dates as mdates

    with styled():
        newest = list(state.experiments.values())[-_MOST:]
        drawn = spans(newest)
        rows = sorted({span.row for span in drawn}, key=_rank)
        figure = new_figure(10.5, 0.62 * max(len(rows), 2) + 1.7)
        axes = figure.add_subplot()
        axes.set_title(f"Who did what when: the newest {len(newest)} experiments")
        if not drawn:
            empty(axes, "nothing was done yet")
            return figure
        for work, colour in _COLOURS.items():
            mine = [span for span in drawn if span.work == work]
            for index, span in enumerate(mine):
                begin, end = mdates.date2num([span.begin, span.end]).tolist()  # type: ignore[no-untyped-call]
                axes.barh(
                    rows.index(span.row), end - begin, left=begin, height=0.66, color=colour, edgecolor="white",
                    linewidth=0.5, label=work if index == 0 else None,
                )  # fmt: skip
                if work == "printing" and len(newest) <= _MOST_NUMBERED:
                    axes.text(
                        (begin + end) / 2, rows.index(span.row), str(span.experiment_id), color="white",
                        ha="center", va="center", fontsize=7.5, clip_on=True,
                    )  # fmt: skip
        locator = mdates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
        axes.set_xlabel("time (UTC)")
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside lower center", ncols=7)
        return figure


def _rank(row: str) -> tuple[int, str]:
    return ({"slicer": 0, "press": 2, "a person": 3}.get(row, 1), row)
