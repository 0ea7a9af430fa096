"""Draws the pictures of `families.md`: a grid of designs for each family.

python docs/gallery.py [FAMILY ...]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from toughopt.families import family
from toughopt.geometry import draw_solid

PICTURES = Path(__file__).parent / "pictures"
COLUMNS = 4
CELL_PX = (210, 210)

#: What each family shows: parameters that differ from the defaults.
GALLERY: dict[str, list[dict[str, Any]]] = {
    "crossed_barrel": [
        {"theta": 0.0},
        {"theta": 100.0},
        {"theta": 200.0},
        {"n": 12, "theta": 150.0},
        {"n": 6, "r": 2.5},
        {"r": 1.5, "t": 0.7},
        {"t": 1.4, "theta": 60.0},
        {"n": 10, "theta": 200.0, "r": 1.5},
    ],
    "cylindrical_shell": [],
    "strut_lattice": [
        {"cell": "bcc", "cells": 3, "radius": 0.8},
        {"cell": "fcc", "cells": 3, "radius": 0.6},
        {"cell": "octet", "cells": 3, "radius": 0.6},
        {"cell": "kelvin", "cells": 3, "radius": 0.7},
        {"cell": "bcc", "cells": 2, "radius": 1.2},
        {"cell": "kelvin", "cells": 2, "radius": 0.8, "grading": 2.0},
        {"cell": "octet", "cells": 2, "radius": 1.0, "grading": 0.5},
        {"cell": "bcc", "cells": 5, "radius": 0.5},
    ],
    "tpms_shell": [
        {"surface": "gyroid", "cells": 1},
        {"surface": "gyroid", "cells": 2},
        {"surface": "gyroid", "cells": 2, "thickness": 0.8, "grading": 2.0},
        {"surface": "schwarz_p", "cells": 1, "thickness": 1.6},
        {"surface": "schwarz_p", "cells": 2},
        {"surface": "schwarz_p", "cells": 2, "thickness": 2.0, "grading": 0.5},
        {"surface": "diamond", "cells": 1, "thickness": 1.4},
        {"surface": "diamond", "cells": 2},
    ],
}


def random_designs(name: str, count: int) -> list[dict[str, Any]]:
    """Valid designs, uniform in the family's box, the same ones every time."""
    import numpy as np

    made = family(name)
    rng = np.random.default_rng(3)
    drawn: dict[str, Any] = {}
    for parameter in made.parameters:
        assert parameter.low is not None and parameter.high is not None
        drawn[parameter.name] = rng.uniform(parameter.low, parameter.high, 2000)
    rows = np.flatnonzero(made.is_valid(drawn))[:count]
    return [{key: float(column[row]) for key, column in drawn.items()} for row in rows]


def draw(name: str) -> Path:
    """The grid of one family."""
    made = family(name)
    designs = GALLERY[name] or random_designs(name, 2 * COLUMNS)
    rows = -(-len(designs) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * CELL_PX[0] / 100, rows * (CELL_PX[1] + 22) / 100), dpi=100)
    FigureCanvasAgg(figure)
    usual = {parameter.name: parameter.default for parameter in made.parameters}
    for place, design in enumerate(designs):
        axes = figure.add_subplot(rows, COLUMNS, place + 1)
        draw_solid(axes, made.solid(usual | design), size_px=CELL_PX)
        for label in list(axes.texts) + list(axes.lines) + list(axes.patches):
            label.remove()  # at this size the dimensions cannot be read
        words = ", ".join(f"{key} {value:g}" if not isinstance(value, str) else value for key, value in design.items())
        if GALLERY[name]:
            axes.set_title(words, fontsize=7, pad=3)
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.94, 0.02, 0.12)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    figure.savefig(path, facecolor="white")
    return path


def main() -> None:
    """Draw all families, or those that are named."""
    for name in sys.argv[1:] or GALLERY:
        path = draw(name)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
