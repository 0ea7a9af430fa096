"""Draws the pictures of the documentation: real output of real commands, and the import graph.

    python docs/pictures.py [--only architecture tour]

Everything goes into the folder `docs`; each picture is below 200 kB.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import grimp
import networkx as nx

HERE = Path(__file__).parent
LARGEST_BYTES = 200_000
# One name a floor, lowest first; rooms that stand beside each other do not know each other.
FLOORS = (
    ("errors",),
    ("resources", "files", "tomlplace", "executor", "digits", "ports", "threads"),
    ("profiles", "geometry"),
    ("families", "slicing", "optimizer", "compression"),
    ("gcode",),
    ("printing", "frames", "journal"),
    ("virtual",),
    ("campaign",),
    ("agents",),
    ("loop",),
    ("replay", "plots"),
    ("monitor", "report"),
    ("cli",),
)
_ASIDE = {"campaign": 0.74, "virtual": 0.36, "gcode": 0.26, "agents": 0.26}  # so that arrows pass beside the boxes
# Nearly everyone uses them: no arrows are drawn to these.
_SMALL = frozenset({"errors", "resources", "files", "tomlplace", "executor", "digits", "ports", "threads"})


def architecture(folder: Path) -> None:
    """The rooms on their floors, and who imports whom, from the code; what follows from other arrows is left out."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

    graph = grimp.build_graph("toughopt", exclude_type_checking_imports=True)
    rooms = {name.split(".")[1] for name in graph.modules if name.count(".") == 1} - {"_version", "__main__"}
    drawn = [[room for room in floor if room in rooms] for floor in FLOORS]
    drawn = [floor for floor in drawn if floor]
    missing = rooms - {room for floor in drawn for room in floor} - {"data_printers", "data_gcode_templates"}
    if missing:
        raise SystemExit(f"docs/pictures.py: no floor is known for {', '.join(sorted(missing))}; add it to FLOORS")
    figure = Figure(figsize=(9.0, 8.4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0.0, 1.0), ylim=(-0.6, len(drawn) - 0.4))
    axes.axis("off")
    place = {
        room: (_ASIDE.get(room, (index + 0.5) / len(floor) * 0.9 + 0.05), float(height))
        for height, floor in enumerate(drawn)
        for index, room in enumerate(floor)
    }
    for importer, imported in nx.transitive_reduction(_imports(graph, place)).edges:
        (x0, y0), (x1, y1) = place[importer], place[imported]
        bend = 0.25 if abs(x0 - x1) < 0.02 and y0 - y1 > 1.5 else 0.0
        style = {"arrowstyle": "-|>", "color": "0.5", "lw": 0.9, "connectionstyle": f"arc3,rad={bend}"}
        axes.annotate("", (x1, y1 + 0.22), (x0, y0 - 0.22), arrowprops=style, zorder=1)
    for room, (x, y) in place.items():
        colour = "#e0f2f1" if room not in _SMALL else "#f5f5f5"
        box = FancyBboxPatch(
            (x - 0.065, y - 0.2),
            0.13,
            0.4,
            boxstyle="round,pad=0,rounding_size=0.012",
            fc=colour,
            ec="#00695c",
            zorder=2,
        )
        axes.add_patch(box)
        axes.text(x, y, room, ha="center", va="center", fontsize=10, zorder=3)
    figure.savefig(folder / "architecture.png", dpi=110)


def _imports(graph: grimp.ImportGraph, rooms: Iterable[str]) -> nx.DiGraph[str]:
    """Which room imports from which."""
    home = {module: module.split(".")[1] for module in graph.modules if "." in module}
    found = nx.DiGraph()
    found.add_nodes_from(rooms)
    for module, room in home.items():
        for imported in graph.find_modules_directly_imported_by(module):
            other = home.get(imported, room)
            if room in rooms and other in rooms and room != other and other not in _SMALL:
                found.add_edge(room, other)
    return found


def tour(folder: Path) -> None:
    """A part and the layers of its program, as `make` and `gcode --render` draw them."""
    from matplotlib import image
    from matplotlib.figure import Figure

    from toughopt.cli import main

    with tempfile.TemporaryDirectory() as place:
        part = Path(place) / "part"
        main(["make", "crossed_barrel", "n=8", "theta=100", "height=8", "-o", str(part)])
        main(["gcode", str(part / "part.gcode"), "--render", str(part / "layers.png")])
        figure = Figure(figsize=(9.0, 4.2), layout="constrained")
        for axes, name in zip(figure.subplots(1, 2), ("part.png", "layers.png"), strict=True):
            axes.imshow(image.imread(part / name))
            axes.axis("off")
        figure.savefig(folder / "tour-part.png", dpi=90)


def curves(folder: Path) -> None:
    """A crushed virtual specimen, as `analyze --plot` draws them."""
    from toughopt.cli import main

    with tempfile.TemporaryDirectory() as place:
        campaign = Path(place) / "tour"
        main(["run", str(campaign), "--budget", "3", "--quiet"])
        file = campaign / "lab" / "press" / "Specimen_RawData_3.csv"
        main(["analyze", str(file), "--height-mm", "20", "--plot", str(folder / "tour-curves.png")])


def overview(folder: Path) -> None:
    """The overview of the campaign that `make run` makes; takes some minutes."""
    import shutil

    from toughopt.cli import main

    with tempfile.TemporaryDirectory() as place:
        main(["run", str(Path(place) / "campaign"), "--quiet"])
        shutil.copyfile(Path(place) / "campaign" / "exports" / "overview.png", folder / "overview.png")


PICTURES: dict[str, Callable[[Path], None]] = {
    "architecture": architecture,
    "tour": tour,
    "curves": curves,
    "overview": overview,
}


def main() -> None:
    """Draw them, with few enough colours that none is too large for a page."""
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(PICTURES), default=list(PICTURES))
    for name in parser.parse_args().only:
        PICTURES[name](HERE)
    for path in HERE.rglob("*.png"):
        if path.stat().st_size > LARGEST_BYTES:
            Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
