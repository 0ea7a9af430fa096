"""The sheet that the live window shows, and the figures as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt.errors import InputError, ToughoptError
from toughopt.plots.gallery import draw, gallery_of, words_of
from toughopt.plots.progress import draw_parity, draw_progress
from toughopt.plots.scene import Scene
from toughopt.plots.specimen import draw_curve, draw_shape
from toughopt.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.loop import Workspace


def overview(scene: Scene, figure: Figure | None = None) -> Figure:
    """Four pictures on one sheet: best so far, the last curve, predicted against measured, the design's shape."""
    from matplotlib.figure import Figure as NewFigure

    with styled():
        figure = figure or NewFigure(figsize=(11.5, 8.0), layout="constrained")
        figure.clear()
        grid = figure.add_gridspec(2, 2)
        progress = figure.add_subplot(grid[0, 0])
        draw_progress(progress, scene.state, target=scene.target)
        legend = progress.get_legend()
        if legend is not None:
            progress.legend(loc="best", fontsize=8)
        last = f"Experiment {scene.last.id}" if scene.last else "The last test"
        draw_curve(figure.add_subplot(grid[0, 1]), scene.last, scene.curve(scene.last), last)
        draw_parity(figure.add_subplot(grid[1, 0]), scene.state)
        draw_shape(figure.add_subplot(grid[1, 1]), scene.solid(scene.in_hand), words_of(scene.in_hand))
        return figure


def save_figures(
    workspace: Workspace,
    folder: Path,
    formats: tuple[str, ...] = ("png",),
    *,
    model: bool = False,
    on_skipped: Callable[[str, ToughoptError], None] = lambda name, why: None,
) -> list[Path]:
    """Write the figures; returns the files. Raises InputError where the folder cannot be written.

    model : also those that ask the model, which takes a while
    on_skipped : told of each figure that cannot be drawn, and why; where none can, that is raised
    """
    workspace.take_in()
    scene = Scene(workspace, workspace.state)
    written: list[Path] = []
    problem: ToughoptError | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = gallery_of(workspace.config)
        cheap = ("best_so_far", "front")
        names = [name for name, picture in pictures.items() if model or not picture.asks_model or name in cheap]
        for name in ("overview", *names):
            try:
                figure = overview(scene) if name == "overview" else draw(scene, name)
            except ToughoptError as error:
                problem = error
                on_skipped(name, error)
                continue
            for kind in formats:
                with styled():
                    figure.savefig(folder / f"{name}.{kind}", metadata=_plain_metadata(kind))
                written.append(folder / f"{name}.{kind}")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    if problem is not None and not written:
        raise problem
    return written


def svg(figure: Figure) -> bytes:
    """The figure as SVG; the same state gives the same bytes."""
    import io

    target = io.BytesIO()
    with styled():
        figure.savefig(target, format="svg", metadata=_plain_metadata("svg"))
    return target.getvalue()


def _plain_metadata(kind: str) -> dict[str, str | None]:
    """Without a date, so that the same state gives the same bytes."""
    dates: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    return dates.get(kind, {})
