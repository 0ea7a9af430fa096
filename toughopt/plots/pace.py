"""How much got done: experiments a day, or a week, and what became of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.plots.style import BLUE, ORANGE, RED, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.journal import State

_MOST_DAYS = 60  # more are shown as weeks
_MOST_HOURS = 48  # fewer are shown as hours
_MOST_MINUTES = 90  # fewer are shown one by one


def pace_figure(state: State) -> Figure:
    """What ended in each minute, hour, day or week, whichever suits the campaign's length, and how."""
    with styled():
        figure = new_figure(10.5, 3.6)
        axes: Any = figure.add_subplot()  # bars of dates are beyond its type hints
        axes.set_title("Pace")
        ended: list[tuple[datetime, str]] = []
        for e in state.experiments.values():
            if "complete" in e.times:
                ended.append((datetime.fromisoformat(e.times["complete"]), "complete"))
            elif "failed" in e.times:
                ended.append((datetime.fromisoformat(e.times["failed"]), f"failed, {e.blame} to blame"))
        if not ended:
            empty(axes, "nothing has ended yet")
            return figure
        first, last = min(time for time, _ in ended), max(time for time, _ in ended)
        unit, begin = _unit(first, last)
        count = int((last - begin) / unit) + 1
        drawn = Counter((int((time - begin) / unit), what) for time, what in ended)
        foot = np.zeros(count)
        colours = {"complete": BLUE, "failed, design to blame": ORANGE, "failed, lab to blame": RED}
        begins = [begin + index * unit for index in range(count)]
        for what, colour in colours.items():
            height = np.array([drawn[index, what] for index in range(count)], dtype=float)
            if height.any():
                axes.bar(
                    begins, height, width=unit, align="edge", bottom=foot, color=colour, edgecolor="white", label=what
                )
                foot += height
        name = {
            timedelta(minutes=1): "a minute",
            timedelta(hours=1): "an hour",
            timedelta(days=1): "a day",
            timedelta(days=7): "a week",
        }[unit]
        axes.set(ylabel=f"experiments {name}", xlabel="time (UTC)")
        _dates(axes)
        axes.locator_params(axis="y", integer=True)
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return figure


def _unit(first: datetime, last: datetime) -> tuple[timedelta, datetime]:
    """How long a bar is, and where the first one begins."""
    if last - first <= timedelta(minutes=_MOST_MINUTES):
        return timedelta(minutes=1), first.replace(second=0, microsecond=0)
    if last - first <= timedelta(hours=_MOST_HOURS):
        return timedelta(hours=1), first.replace(minute=0, second=0, microsecond=0)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if last - first <= timedelta(days=_MOST_DAYS):
        return timedelta(days=1), midnight
    return timedelta(days=7), midnight - timedelta(days=midnight.weekday())


def _dates(axes: Any) -> None:
    import matplotlib.dates as mdates

    locator = mdates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
    axis = axes.xaxis
    axis.set_major_locator(locator)
    axis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
