"""The catalogue of figures: each by name, with its title and what it tells, drawn from a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toughopt.errors import ObservationError
from toughopt.optimizer.posterior import FitFailed
from toughopt.plots.coordinates import coordinates_figure
from toughopt.plots.front import front_figure
from toughopt.plots.landscape import choice_figure, slice_figure
from toughopt.plots.mass import mass_figure
from toughopt.plots.model import dependence_figure, importance_figure, nothing_figure, parity_figure
from toughopt.plots.pace import pace_figure
from toughopt.plots.progress import Belief, draw_parity, progress_figure
from toughopt.plots.specimen import curve_figure, layers_figure, shape_figure
from toughopt.plots.style import new_figure, styled
from toughopt.plots.timeline import timeline_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.campaign import CampaignConfig
    from toughopt.journal import Experiment
    from toughopt.plots.scene import Scene


_MOST_FOR_BELIEF = 2000  # results; with more the model takes longer than a figure that is always on show may


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure of the catalogue.

    asks_model : whether drawing it fits the model, which takes a while
    several : whether it is only for campaigns with several objectives
    exists : whether there is anything to see; a window shows the empty frame, a report leaves it out
    """

    title: str
    tells: str
    draw: Callable[[Scene], Figure]
    asks_model: bool = False
    several: bool = False
    exists: Callable[[Scene], bool] = lambda scene: True


@dataclass(frozen=True, slots=True)
class Portrait:
    """One figure of a single experiment."""

    title: str
    draw: Callable[[Scene, Experiment], Figure]


def _progress(scene: Scene) -> Figure:
    belief: Belief = {}
    try:
        if len(scene.state.complete) <= _MOST_FOR_BELIEF:
            belief = scene.learned.belief
    except (ObservationError, FitFailed):  # too little is known for a model: the figure does without
        pass
    return progress_figure(scene.state, belief, scene.target)


def _chosen(scene: Scene) -> Figure:
    with styled():
        figure = new_figure(6.0, 4.8)
        draw_parity(figure.add_subplot(), scene.state)
        return figure


def _slices(scene: Scene) -> Figure:
    pair, best = scene.learned.main_pair(), scene.best
    if pair is None or best is None:
        return nothing_figure("a map needs two numeric parameters and a result")
    return slice_figure(scene.learned.slice(dict(best.design), *pair), scene.objective, scene.units)


def _next_choice(scene: Scene) -> Figure:
    newest = next((e for e in reversed(scene.state.experiments.values()) if e.decision is not None), None)
    if newest is None:
        return nothing_figure("no design was chosen yet")
    return choice_figure(scene.choice(newest), scene.objective, scene.units)


def _last_curve(scene: Scene) -> Figure:
    title = f"The last test, experiment {scene.last.id}" if scene.last else "The last test"
    return curve_figure(scene.last, scene.curve(scene.last), title, scene.replicates(scene.last))


def _best_curve(scene: Scene) -> Figure:
    title = f"The best test, experiment {scene.best.id}" if scene.best else "The best test"
    return curve_figure(scene.best, scene.curve(scene.best), title, scene.replicates(scene.best))


def _front(scene: Scene) -> Figure:
    if not scene.several:
        return nothing_figure("there is one objective: a front needs a second one")
    first, second = scene.workspace.chooser.objectives[:2]
    return front_figure(scene.front, scene.tested(), (first.name, second.name), (first.goal, second.goal))


GALLERY: Mapping[str, Picture] = {
    "best_so_far": Picture(
        "Best so far",
        "Every result, the best so far, and the 95 % interval of that design's true value.",
        _progress,
        asks_model=True,
    ),
    "front": Picture(
        "What it costs",
        "The designs that no other beats in every objective, with 95 % intervals, among all tests.",
        _front,
        asks_model=True,
        several=True,
    ),
    "last_curve": Picture(
        "The last test", "Force against displacement; the shaded area is the toughness.", _last_curve
    ),
    "best_curve": Picture(
        "The best test",
        "Force against displacement of the best specimen so far; the shaded area is the toughness.",
        _best_curve,
        exists=lambda scene: scene.curve(scene.best) is not None,
    ),
    "shape": Picture(
        "The design in hand",
        "The part that the lab works on, with its outer dimensions.",
        lambda scene: shape_figure(scene.solid(scene.in_hand), words_of(scene.in_hand)),
    ),
    "layers": Picture(
        "Its layers",
        "Layers of its program, coloured by kind of line.",
        lambda scene: layers_figure(scene.program(scene.in_hand), words_of(scene.in_hand)),
        exists=lambda scene: scene.program(scene.in_hand) is not None,
    ),
    "choice": Picture(
        "Why the next design",
        "What a test of the newest design promised when it was chosen, and the reason.",
        _next_choice,
        asks_model=True,
    ),
    "slices": Picture(
        "The model around the best",
        "What it believes over the two parameters that matter most, and how sure it is.",
        _slices,
        asks_model=True,
    ),
    "dependence": Picture(
        "Effect of each parameter",
        "The objective against each parameter with the others averaged, with 95 % bands and the tests.",
        lambda scene: dependence_figure(scene.learned.dependences, scene.state, scene.objective, scene.units),
        asks_model=True,
    ),
    "importance": Picture(
        "What matters",
        "The share of the objective's variance that each parameter makes, and how finely the model looks at it.",
        lambda scene: importance_figure(scene.learned.relevance, scene.learned.effects),
        asks_model=True,
    ),
    "parity": Picture(
        "Can the model be trusted",
        "Each test predicted from all the others, and whether its intervals hold what they claim.",
        lambda scene: parity_figure(scene.learned.parity, scene.objective),
        asks_model=True,
    ),
    "chosen": Picture(
        "Predicted when chosen", "What was expected of each design that the model chose, against the test.", _chosen
    ),
    "coordinates": Picture(
        "Tested designs",
        "Every design as a line through its parameters to its value.",
        lambda scene: coordinates_figure(scene.state, scene.workspace.chooser.dimensions, scene.units),
    ),
    "timeline": Picture(
        "Who did what when", "Slicer, printers, press and people.", lambda scene: timeline_figure(scene.state)
    ),
    "pace": Picture(
        "Pace", "What ended in each minute, hour, day or week, and how.", lambda scene: pace_figure(scene.state)
    ),
    "mass": Picture(
        "Mass and extrusion",
        "Whether what was printed weighs what was designed, and what was fed.",
        lambda scene: mass_figure(scene.state, scene.filament_g_per_mm, scene.wall_g),
        exists=lambda scene: any(e.mass_g and e.mesh_mass_g for e in scene.state.experiments.values()),
    ),
}

PORTRAITS: Mapping[str, Portrait] = {
    "curve": Portrait(
        "Force and displacement",
        lambda scene, e: curve_figure(e, scene.curve(e), f"Experiment {e.id}", scene.replicates(e)),
    ),
    "shape": Portrait("The design", lambda scene, e: shape_figure(scene.solid(e), "")),
    "layers": Portrait("Its layers", lambda scene, e: layers_figure(scene.program(e), "")),
    "choice": Portrait(
        "Why it was chosen", lambda scene, e: choice_figure(scene.choice(e), scene.objective, scene.units)
    ),
}


def gallery_of(config: CampaignConfig) -> dict[str, Picture]:
    """The figures that a campaign has."""
    return {n: p for n, p in GALLERY.items() if config.objective.against or not p.several}


def draw(scene: Scene, name: str) -> Figure:
    """The figure `name` of the gallery; one that says why, where there is too little to draw it from."""
    try:
        return GALLERY[name].draw(scene)
    except (ObservationError, FitFailed) as error:
        return nothing_figure(str(error))


def draw_portrait(scene: Scene, name: str, experiment: Experiment) -> Figure:
    """The figure `name` of one experiment."""
    try:
        return PORTRAITS[name].draw(scene, experiment)
    except (ObservationError, FitFailed) as error:
        return nothing_figure(str(error))


def words_of(experiment: Experiment | None) -> str:
    """An experiment in two lines: where it is, and its design."""
    if experiment is None:
        return "No design yet"
    design = " ".join(
        f"{k}={v:.4g}" if isinstance(v, int | float) else f"{k}={v}" for k, v in experiment.design.items()
    )
    return f"Experiment {experiment.id}, {experiment.stage}\n{design}"
