"""A campaign unfolding, as a moving picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt.cli.output import write_bytes_whole
from toughopt.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from toughopt.loop import Workspace

_MOST_FRAMES = 150
_FRAME_MS, _LAST_MS = 250, 2500


def animate(workspace: Workspace, output: Path, first: int = 1, until: int | None = None) -> int:
    """Write a GIF of the results coming in, one picture a result; returns how many pictures.

    Raises
    ------
    InputError
        If there is no result to show, or the file cannot be written.
    """
    from toughopt.plots.progress import progress_figure
    from toughopt.replay.moments import results_one_by_one

    if output.suffix.lower() != ".gif":
        raise InputError(f"{output}: a moving picture is written as .gif")
    count = sum(1 for _ in results_one_by_one(workspace, first, until))
    if not count:
        raise InputError(f"{workspace.folder} has no result between experiments {first} and {until or 'the last'}")
    step = -(-count // _MOST_FRAMES)
    frames: list[Image] = []
    for index, state in enumerate(results_one_by_one(workspace, first, until), start=1):
        if index % step == 0 or index == count:
            figure = progress_figure(state)
            _same_axes(figure, count, workspace)
            frames.append(_picture(figure))
    sink = io.BytesIO()
    shown = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    frames[0].save(sink, format="GIF", save_all=True, append_images=frames[1:], duration=shown, loop=0)
    write_bytes_whole(output, sink.getvalue())
    return len(frames)


def _same_axes(figure: object, count: int, workspace: Workspace) -> None:
    """Limits that hold for the whole campaign, so that only what is new moves."""
    values = [e.value for e in workspace.state.complete if e.value is not None]
    margin = 0.06 * (max(values) - min(values) or 1.0)
    axes = figure.axes[0]  # type: ignore[attr-defined]
    axes.set_xlim(0.5, count + 0.5)
    axes.set_ylim(min(0.0, min(values)) - margin, max(values) + margin)


def _picture(figure: object) -> Image:
    from PIL import Image

    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=80)  # type: ignore[attr-defined]
    sink.seek(0)
    return Image.open(sink).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
