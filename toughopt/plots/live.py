"""The live window: redraws when the journal has something new, in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from toughopt.errors import InputError
from toughopt.plots.painter import Painter

_LOOK_MS = 300


def watch(folder: Path) -> None:
    """Show the campaign in `folder` until the window is closed.

    The drawing is done beside the window, which only shows finished pictures: it answers at once whatever is being
    drawn, and a remote desktop has one picture to carry a change.

    Raises
    ------
    InputError
        If there is no display.
    ConfigError, JournalError
        If there is no campaign.
    """
    from toughopt.campaign import load_config

    load_config(folder / "campaign.toml")
    instead = f"`toughopt plot {folder}` writes the same pictures to files, `toughopt monitor {folder}` serves them"
    if not has_display():
        raise InputError(f"there is no display for a window here; {instead}")
    from matplotlib import pyplot as plt

    if plt.get_backend().lower() not in _interactive_backends():
        raise InputError(f"matplotlib finds no window toolkit here: pip install PySide6; until then, {instead}")
    painter = Painter(folder)
    try:
        _show(painter)
    finally:
        painter.close()


def _show(painter: Painter) -> None:
    """A window with the painter's newest picture in it, until it is closed."""
    from matplotlib import pyplot as plt

    with plt.rc_context({"toolbar": "None"}):
        figure = plt.figure(figsize=(11.5, 8.0), dpi=100, num=f"toughopt: {painter.name}")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    words = axes.text(0.5, 0.5, "drawing", ha="center", va="center", transform=axes.transAxes, color="#777777")
    trouble = figure.text(0.01, 0.005, "", color="#C24D00", fontsize=9)

    def look() -> None:
        picture = painter.take()
        if picture is not None:
            for image in list(axes.images):
                image.remove()
            words.set_visible(False)
            axes.imshow(picture, aspect="auto", interpolation="nearest")
        if picture is not None or trouble.get_text() != painter.trouble[:160]:
            trouble.set_text(painter.trouble[:160])
            figure.canvas.draw_idle()

    figure.canvas.mpl_connect("resize_event", lambda event: painter.resize(*map(int, figure.bbox.size)))
    timer = figure.canvas.new_timer(interval=_LOOK_MS)
    timer.add_callback(look)
    timer.start()
    plt.show()


def _interactive_backends() -> set[str]:
    from matplotlib.backends.registry import BackendFilter, backend_registry

    names: list[str] = backend_registry.list_builtin(BackendFilter.INTERACTIVE)  # type: ignore[no-untyped-call]
    return {name.lower() for name in names}


def has_display() -> bool:
    """Whether a window can be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
