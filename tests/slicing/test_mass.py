"""Random designs of every family lay down the mass of their solids.

What is compared: the beads that the deposition model reads from the program's text, with the volume of a closed mesh.
For a shell printed as a spiral that is the mesh of its wall as a body of its own, as deep as the spiral's line is wide;
the slicer never sees that mesh.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from toughopt.families import family
from toughopt.gcode import check, deposit, taken_at_its_word, write_program
from toughopt.slicing import NativeSlicer
from toughopt.slicing.fill import spacings

SMALL = {
    "crossed_barrel": {"height": 6.0},
    "cylindrical_shell": {},
    "strut_lattice": {"width": 10.0, "height": 7.0, "plate": 0.6},
    "tpms_shell": {"width": 10.0, "height": 7.0, "plate": 0.6, "chord_error": 0.1},
}


def drawn(made, count, seed):
    """Valid designs, uniform in the family's box."""
    rng = np.random.default_rng(seed)
    columns = {}
    for parameter in made.parameters:
        if parameter.kind == "categorical":
            columns[parameter.name] = rng.choice(np.array(parameter.categories), 4000)
        elif parameter.kind == "integer":
            columns[parameter.name] = rng.choice(
                np.arange(parameter.low, parameter.high + 1, parameter.step or 1), 4000
            )
        else:
            columns[parameter.name] = rng.uniform(parameter.low, parameter.high, 4000)
    rows = np.flatnonzero(made.is_valid(columns))[:count]
    return [{key: column[row].item() for key, column in columns.items()} for row in rows]


def wanted_mm3(made, design, solid, printer):
    """The solid's volume; of a shell, that of the wall which one line makes along the outside of the solid."""
    if made.print_mode != "vase":
        return solid.volume_mm3
    depth = spacings(printer, printer.slicing.layer_height_mm).nominal_mm
    wall = family(made.name, wall="solid", mass=(0.05, 100.0))  # the mass goes with the depth: the outline stays
    return wall.solid(design | {"thickness": depth, "mass": design["mass"] * depth / design["thickness"]}).volume_mm3


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize("count", [2, pytest.param(6, marks=pytest.mark.full)])
def test_random_designs_lay_down_the_mass_of_their_solids_and_pass_the_checks(name, count, profile, with_settings):
    made = family(name, **SMALL[name])
    printer = with_settings(mode=made.print_mode)
    errors = []
    for design in drawn(made, count, 11):
        solid = made.solid(design)
        toolpaths = NativeSlicer().slice(solid, printer)
        program = write_program(toolpaths, printer, date=datetime(2024, 1, 1, tzinfo=UTC))
        assert check(program, printer).ok
        laid = float(np.sum(deposit(taken_at_its_word(program, printer)).volume_mm3))
        errors.append(abs(laid / wanted_mm3(made, design, solid, printer) - 1.0))
    assert max(errors) <= 0.01
    assert float(np.median(errors)) <= 0.003
