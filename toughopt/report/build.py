"""Gathers figures, tables and provenance, and makes one HTML file of them that needs nothing else."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from toughopt.digits import four_digits
from toughopt.errors import InputError, ObservationError
from toughopt.files import write_whole
from toughopt.optimizer.posterior import FitFailed
from toughopt.plots import Scene, draw, gallery_of, label, svg, unit_of
from toughopt.replay import worth_it
from toughopt.report.methods import methods_paragraph
from toughopt.report.redaction import without_secrets

if TYPE_CHECKING:
    from toughopt.journal import Event, State
    from toughopt.loop import Workspace

_MOST_ROWS = 300
_MOST_LEARNED = 2000  # results above which the model's figures are left out: they would take an hour
_SECTIONS = (
    ("How it went", ("best_so_far", "front", "best_curve", "coordinates")),
    ("What was learned", ("slices", "dependence", "importance", "parity", "choice")),
    ("How it was made", ("shape", "layers", "mass", "timeline", "pace")),
)
_PROLOGUE = re.compile(rb"^.*?(?=<svg)", re.DOTALL)


def write_report(workspace: Workspace, path: Path, say: Callable[[str], None] = lambda words: None) -> None:
    """Write the report of a campaign, whole or not at all. Raises InputError where it cannot be written."""
    html = make_report(workspace, say)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, html.encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def make_report(workspace: Workspace, say: Callable[[str], None] = lambda words: None) -> str:
    """The report as HTML: the same journal gives the same text.

    say : is told what is being drawn
    """
    workspace.take_in()
    state = workspace.state
    scene = Scene(workspace, state)
    gallery = gallery_of(workspace.config)
    front = scene.front if scene.several else None
    sections = []
    for title, names in _SECTIONS:
        many = len(state.complete) > _MOST_LEARNED
        held = [name for name in names if name in gallery and not (gallery[name].asks_model and many)]
        shown = [name for name in held if gallery[name].exists(scene)]
        figures = []
        for name in shown:
            say(f"drawing {gallery[name].title.lower()}")
            figures.append((gallery[name], Markup(_inline(svg(draw(scene, name)), name))))
        sections.append((title, figures))
    beside_mass = None if len(state.complete) > _MOST_LEARNED else _beside_mass(scene)
    say("asking what other searches would have needed")
    history = _history(workspace)
    ended = sorted((e for e in state.experiments.values() if e.ended), key=lambda e: e.id)
    best_first = sorted(state.complete, key=lambda e: -state.goal_sign * (e.value or 0.0))
    rows = ended if len(ended) <= _MOST_ROWS else best_first[:_MOST_ROWS]
    templates = Environment(
        loader=PackageLoader("toughopt.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    templates.filters["number"] = _number
    return templates.get_template("report.html").render(
        campaign=workspace.config.name,
        config=workspace.config,
        budget=workspace.budget(),
        state=state,
        objective=label(workspace.config.objective.name),
        unit=unit_of(workspace.config.objective.name),
        parameters=workspace.parameters,
        best=state.best,
        recommended=workspace.chooser.recommend(state),
        front=front,
        beside_mass=beside_mass,
        labels={name: label(name) for name in (front.reference if front else ())},
        replicates=_replicates(state),
        sections=sections,
        rows=rows,
        of=len(ended),
        reasons=Counter((e.failed_stage, e.blame, e.reason[:160]) for e in ended if e.stage == "failed").most_common(
            20
        ),
        failed=sum(e.stage == "failed" for e in ended),
        worth=worth_it(workspace),
        methods=methods_paragraph(workspace, state),
        history=history,
        versions=workspace.versions,
        config_toml=without_secrets(state.config_toml),
    )


def _beside_mass(scene: Scene) -> dict[str, tuple[float, float]] | None:
    """What each parameter does other than by adding mass; None where too little was weighed."""
    try:
        return {name: found for name, found in scene.learned.beside_mass.items() if not math.isnan(found[0])} or None
    except (ObservationError, FitFailed):
        return None


def _inline(picture: bytes, name: str) -> str:
    """An SVG as part of a page: without its prologue, and with names of its own."""
    text = _PROLOGUE.sub(b"", picture, count=1).decode()
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)


def _history(workspace: Workspace) -> dict[str, Any]:
    """What the journal says of itself: its hash, its extent, who conducted, and what people asked for."""
    digest = hashlib.sha256()
    first: Event | None = None
    last: Event | None = None
    starts, asked, count = 0, [], 0
    refused: dict[int, str] = {}
    for event in workspace.store.read():
        digest.update(f"{event.seq} {event.time_utc} {event.kind} {event.experiment_id} ".encode())
        digest.update(repr(sorted(event.payload.items())).encode())
        first, last, count = first or event, event, count + 1
        starts += event.kind == "conductor_started"
        if event.kind == "answered" and not event.payload["ok"]:
            refused[event.payload["request"]] = event.payload["message"]
        if event.kind in ("requested", "steered", "corrected", "excluded", "restored"):
            asked.append(event)
    return {
        "sha256": digest.hexdigest(),
        "events": count,
        "first": first.time_utc if first else "",
        "last": last.time_utc if last else "",
        "starts": starts,
        "asked": asked[-60:],
        "asked_of": len(asked),
        "refused": refused,
    }


def _replicates(state: State) -> dict[str, float] | None:
    """How far tests of the same design differ: pooled standard deviation, and as a share of the mean."""
    groups: dict[tuple[Any, ...], list[float]] = {}
    for e in state.complete:
        if e.value is not None and not e.excluded:
            groups.setdefault(tuple(sorted(e.design.items())), []).append(e.value)
    several = [values for values in groups.values() if len(values) > 1]
    if not several:
        return None
    means = [sum(values) / len(values) for values in several]
    squares = sum(sum((v - m) ** 2 for v in values) for values, m in zip(several, means, strict=True))
    freedom = sum(len(values) - 1 for values in several)
    std = (squares / freedom) ** 0.5
    mean = sum(map(sum, several)) / sum(map(len, several))
    return {"designs": len(several), "std": std, "share": std / abs(mean) if mean else 0.0}


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return four_digits(value) if isinstance(value, float) else str(value)
