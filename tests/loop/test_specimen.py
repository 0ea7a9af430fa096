"""From a design to its program: what the checker refuses is never printed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from toughopt.errors import ProgramError
from toughopt.families import family
from toughopt.loop.specimen import Order, Recipe, prepare
from toughopt.profiles import load_profile
from toughopt.slicing import NativeSlicer


@dataclass(frozen=True)
class Astray:
    """A slicer that moves one line of a layer out of the part."""

    name: str = "astray"

    def slice(self, solid, profile):
        paths = NativeSlicer().slice(solid, profile)
        layer = paths.layers[40]
        line = layer.lines[-1]
        away = replace(line, points_mm=line.points_mm + np.array([30.0, 0.0, 0.0]))
        layers = list(paths.layers)
        layers[40] = replace(layer, lines=(*layer.lines[:-1], away))
        return replace(paths, layers=tuple(layers))


def test_a_program_with_a_line_outside_the_part_is_refused(monkeypatch):
    recipe = Recipe(family("crossed_barrel"), load_profile("virtual"), "native", "c", 1)
    order = Order(recipe, 7, {"n": 6, "theta": 50.0, "r": 1.6, "t": 0.8}, "2026-01-01T00:00:00+00:00")
    assert prepare(order).program.text
    monkeypatch.setattr("toughopt.slicing.slicer", lambda name: Astray())
    with pytest.raises(ProgramError, match=r"experiment 7: in layer 41 a line near .* outside the part"):
        prepare(order)


def test_a_part_printed_as_a_spiral_weighs_what_its_wall_does():
    made = family("cylindrical_shell", thickness=0.4)
    design = {parameter.name: parameter.default for parameter in made.parameters}
    base = load_profile("virtual")
    spiral = base.model_copy(update={"slicing": base.slicing.model_copy(update={"mode": made.print_mode})})
    recipe = Recipe(made, spiral, "native", "c", 1)
    prepared = prepare(Order(recipe, 1, design, "2026-01-01T00:00:00+00:00"))
    heavier = recipe.profile.filament.density_g_per_cm3 / made.fixed["density"]
    assert prepared.mass_g == pytest.approx(design["mass"] * heavier, rel=1e-3)
    assert prepared.mass_g == pytest.approx(prepared.program.filament_g, rel=0.15)
    assert prepared.volume_mm3 * 1.24e-3 > 3.0 * prepared.mass_g  # the envelope, which nobody fills


@pytest.mark.parametrize("thickness", [0.65, 1.0])
def test_a_spiral_is_laid_as_thick_as_it_was_designed(thickness):
    made = family("cylindrical_shell", height=10.0, chord_error=0.2)
    design = {parameter.name: parameter.default for parameter in made.parameters} | {"mass": 1.0, "c8_top": 0.0}
    recipe = Recipe(made, load_profile("makergear_m3_vase"), "native", "c", 1)
    prepared = prepare(Order(recipe, 1, design | {"thickness": thickness}, "2026-01-01T00:00:00+00:00"))
    filament = recipe.profile.filament
    laid_g = prepared.part_filament_mm * np.pi / 4 * filament.diameter_mm**2 * filament.density_g_per_cm3 / 1000.0
    assert laid_g == pytest.approx(prepared.mass_g, rel=0.07)  # the mass is that along the outer side
