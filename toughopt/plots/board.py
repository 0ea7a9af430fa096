"""The figures of a campaign, from its journal and artifacts alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt.errors import InputError, ToughoptError
from toughopt.plots.progress import draw_parity, draw_progress
from toughopt.plots.specimen import draw_curve, draw_shape
from toughopt.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.compression import Curve
    from toughopt.geometry import Solid
    from toughopt.journal import Experiment, State
    from toughopt.loop import Workspace

_COARSE_MM = 0.05  # chord error that a picture needs


@dataclass(frozen=True, slots=True)
class Board:
    """All that the figures show, read once."""

    state: State
    last: Experiment | None
    last_curve: Curve | None
    best: Experiment | None
    best_curve: Curve | None
    in_hand: Experiment | None
    shape: Solid | None


def read_board(workspace: Workspace) -> Board:
    """What the figures show of a campaign at this moment."""
    state = workspace.state
    done = [e for e in state.complete if not e.excluded]
    last, best = done[-1] if done else None, state.best
    waiting = [e for e in state.under_way if e.stage in ("printing", "printed", "cleared", "weighed", "tested")]
    in_hand = waiting[0] if waiting else last or next(iter(state.under_way), None)
    return Board(
        state, last, _curve(workspace, last), best, _curve(workspace, best), in_hand, _shape(workspace, in_hand)
    )


def overview(board: Board, figure: Figure | None = None) -> Figure:
    """Four pictures on one sheet: best so far, the last curve, predicted against measured, the design's shape."""
    from matplotlib.figure import Figure as NewFigure

    with styled():
        figure = figure or NewFigure(figsize=(11.5, 8.0), layout="constrained")
        figure.clear()
        grid = figure.add_gridspec(2, 2)
        draw_progress(figure.add_subplot(grid[0, 0]), board.state)
        last = f"Experiment {board.last.id}" if board.last else "The last test"
        draw_curve(figure.add_subplot(grid[0, 1]), board.last, board.last_curve, last)
        draw_parity(figure.add_subplot(grid[1, 0]), board.state)
        words = f"Experiment {board.in_hand.id}, {_words(board.in_hand)}" if board.in_hand else "No design yet"
        draw_shape(figure.add_subplot(grid[1, 1]), board.shape, words)
        return figure


def single_figures(board: Board) -> dict[str, Figure]:
    """The same pictures one by one, and the best curve, each on a sheet of its own."""
    from matplotlib.figure import Figure as NewFigure

    figures: dict[str, Figure] = {}
    with styled():
        for name in ("best_so_far", "last_curve", "best_curve", "parity", "shape"):
            figure = NewFigure(figsize=(7.0, 4.8), layout="constrained")
            axes = figure.add_subplot()
            match name:
                case "best_so_far":
                    draw_progress(axes, board.state)
                case "parity":
                    draw_parity(axes, board.state)
                case "shape":
                    draw_shape(axes, board.shape, _words(board.in_hand) if board.in_hand else "No design yet")
                case "last_curve":
                    title = f"The last test, experiment {board.last.id}" if board.last else "The last test"
                    draw_curve(axes, board.last, board.last_curve, title)
                case _:
                    title = f"The best test, experiment {board.best.id}" if board.best else "The best test"
                    draw_curve(axes, board.best, board.best_curve, title)
            figures[name] = figure
    return figures


def save_figures(workspace: Workspace, folder: Path, formats: tuple[str, ...] = ("png",)) -> list[Path]:
    """Write every figure; returns the files. Raises InputError where the folder cannot be written."""
    workspace.take_in()
    board = read_board(workspace)
    figures = {"overview": overview(board), **single_figures(board)}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with styled():
            for name, figure in figures.items():
                for kind in formats:
                    figure.savefig(folder / f"{name}.{kind}", metadata=_plain_metadata(kind))
                    written.append(folder / f"{name}.{kind}")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return written


def _plain_metadata(kind: str) -> dict[str, str | None]:
    """Without a date, so that the same state gives the same bytes."""
    dates: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    return dates.get(kind, {})


def _curve(workspace: Workspace, experiment: Experiment | None) -> Curve | None:
    from toughopt.compression import read_curves

    if experiment is None or experiment.curve is None:
        return None
    return read_curves(workspace.artifacts.get(experiment.curve))[0]


def _shape(workspace: Workspace, experiment: Experiment | None) -> Solid | None:
    from toughopt.families import family

    if experiment is None:
        return None
    fixed = dict(workspace.config.family.fixed)
    made = workspace.recipe.family
    if "chord_error" in made.fixed:
        made = family(made.name, **{**fixed, "chord_error": _COARSE_MM})
    try:
        return made.solid(made.complete(experiment.design))
    except ToughoptError:  # a design that cannot be built has no picture; its failure is told elsewhere
        return None


def _words(experiment: Experiment) -> str:
    design = " ".join(
        f"{k}={v:.4g}" if isinstance(v, int | float) else f"{k}={v}" for k, v in experiment.design.items()
    )
    return f"{experiment.stage}\n{design}"
