"""The live window: redraws when the journal has something new, in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from toughopt.errors import InputError
from toughopt.plots.board import overview
from toughopt.plots.scene import Scene

_LOOK_MS = 500


def watch(folder: Path) -> None:
    """Show the campaign in `folder` until the window is closed.

    Raises
    ------
    InputError
        If there is no display.
    ConfigError, JournalError
        If there is no campaign.
    """
    from toughopt.loop import open_workspace

    workspace = open_workspace(folder)
    try:
        instead = f"`toughopt plot {folder}` writes the same pictures to files"
        if not has_display():
            raise InputError(f"there is no display for a window here; {instead}")
        from matplotlib import pyplot as plt

        if plt.get_backend().lower() not in _interactive_backends():
            raise InputError(f"matplotlib finds no window toolkit here: pip install PySide6; until then, {instead}")
        figure = plt.figure(figsize=(11.5, 8.0), layout="constrained", num=f"toughopt: {workspace.config.name}")
        overview(Scene(workspace, workspace.state), figure)

        def look() -> None:
            if workspace.take_in():
                overview(Scene(workspace, workspace.state), figure)
                figure.canvas.draw_idle()

        timer = figure.canvas.new_timer(interval=_LOOK_MS)
        timer.add_callback(look)
        timer.start()
        plt.show()
    finally:
        workspace.close()


def _interactive_backends() -> set[str]:
    from matplotlib.backends.registry import BackendFilter, backend_registry

    names: list[str] = backend_registry.list_builtin(BackendFilter.INTERACTIVE)  # type: ignore[no-untyped-call]
    return {name.lower() for name in names}


def has_display() -> bool:
    """Whether a window can be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
