"""What campaign.toml may say and hardly means: told before anything is made, refused by nobody."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from toughopt.extensions import foreign, named, said
from toughopt.tomlplace import line_of

if TYPE_CHECKING:
    from toughopt.loop.workspace import Workspace

_LEAST_FORCE_N = 50.0  # what a hand presses with; soft parts are tested below it, but more often somebody meant kN
_MOST_SPEED_MM_PER_MIN = 100.0  # above it a test is no slow compression any more
_FLAT_LAYER = 0.8  # of the nozzle's diameter; lines of higher layers are hardly pressed onto those below


def doubts(workspace: Workspace) -> Iterator[str]:
    """One sentence for each thing that is possible and unlikely, with file and line."""
    path = workspace.folder / "campaign.toml"
    text = path.read_text(encoding="utf-8-sig")
    if not tomllib.loads(text):
        yield f"{path} says nothing, so everything has its default, and all machines are virtual"
    test = workspace.config.test
    if test.force_limit_n < _LEAST_FORCE_N:
        yield (
            f"{_place(path, text, 'test', 'force_limit_n')}: force_limit_n = {test.force_limit_n:g} ends a test at "
            f"that many N, which nearly every part carries; if kN are meant, write {1000 * test.force_limit_n:g}"
        )
    if test.speed_mm_per_min > _MOST_SPEED_MM_PER_MIN:
        yield (
            f"{_place(path, text, 'test', 'speed_mm_per_min')}: speed_mm_per_min = "
            f"{test.speed_mm_per_min:g} moves the crosshead {test.speed_mm_per_min / 60:.3g} mm a second; "
            "slow compression, as published, is 1 to 10 mm a minute"
        )
    for name, recipe in workspace.recipes.items():
        slicing, nozzle = recipe.profile.slicing, recipe.profile.nozzle
        tallest = max(slicing.layer_height_mm, slicing.first_layer_height_mm)
        if tallest > _FLAT_LAYER * nozzle.diameter_mm:
            yield (
                f"layers of {tallest:g} mm on {name} are higher than {_FLAT_LAYER:g} of its nozzle's "
                f"{nozzle.diameter_mm:g} mm: they may hardly hold together"
            )
    yield from _unused(workspace)


def _unused(workspace: Workspace) -> Iterator[str]:
    """Parts of other packages that have the name of one of toughopt's own, which is the one that is used."""
    from toughopt.frames.kinds import FRAMES, HANDLERS, SCALES
    from toughopt.optimizer.policies import SHIPPED

    config = workspace.config
    own: tuple[tuple[str, str, str, bool], ...] = (
        ("family", "families", config.family.name, not foreign(workspace.chooser.family)),
        ("policy", "policies", config.optimizer.policy, config.optimizer.policy in SHIPPED),
        ("load frame", "frames", config.frame.kind, config.frame.kind in FRAMES),
        ("scale", "scales", config.scale.kind, config.scale.kind in SCALES),
        ("handler", "handlers", config.handler.kind, config.handler.kind in HANDLERS),
    )
    for what, group, name, ours in own:
        if ours and (point := named(what, name, entry_points(group=f"toughopt.{group}"))):
            yield f"{said(what, point)} is not used: toughopt has one of that name; rename the other"


def _place(path: object, text: str, *location: str) -> str:
    line = line_of(location, text)
    return f"{path}, line {line}" if line else str(path)
