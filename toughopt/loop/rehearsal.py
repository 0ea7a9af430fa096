"""Everything that a run would do, but for heat, motion and the journal: before the first real specimen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toughopt.errors import ToughoptError
from toughopt.loop.doubts import doubts
from toughopt.loop.lab import open_lab
from toughopt.loop.specimen import Order, prepare
from toughopt.printing import PrintStatus

if TYPE_CHECKING:
    from toughopt.gcode import Program
    from toughopt.loop.lab import Lab
    from toughopt.loop.workspace import Workspace
    from toughopt.printing import Printer

_HARMLESS = re.compile(r"(M73|M117|M118|M105|M114|M115|G21|G90|G91|M82|M83)(?![0-9.])")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was rehearsed."""

    what: str
    ok: bool
    said: str
    warnings: tuple[str, ...] = ()


def rehearse(workspace: Workspace) -> Iterator[Step]:
    """Choose a design, make its program for each printer, and send each its program without heat and motion.

    Nothing is written to the journal. The load frame is opened, not moved; the scale is not asked to weigh.
    """
    found = tuple(doubts(workspace))
    if found:
        yield Step("settings", True, "possible, and hardly what is meant", found)
    state = workspace.state
    decision = workspace.chooser.decide(state, 1)
    design = dict(decision.designs[0])
    told = " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in design.items()
    )
    yield Step("choose", True, f"{decision.policy}: {told} ({decision.reason})")
    programs: dict[str, Program] = {}
    for printer, recipe in workspace.recipes.items():
        order = Order(recipe, state.next_id(), design, "2000-01-01T00:00:00+00:00")
        try:
            prepared = prepare(order)
        except ToughoptError as error:
            yield Step(f"program for {printer}", False, str(error))
            continue
        programs[printer] = prepared.program
        warnings = (*prepared.mesh_warnings, *prepared.program_warnings)
        yield Step(f"program for {printer}", True, _of_program(prepared.program), warnings)
    try:
        with open_lab(workspace) as lab:
            yield Step("machines", True, _of_lab(lab))
            for name, program in programs.items():
                yield _conversation(lab.printers[name], program)
    except ToughoptError as error:
        yield Step("machines", False, str(error))


def without_heat_and_motion(program: Program) -> Program:
    """What is left of a program when it may only talk: progress, messages, questions and modes."""
    from toughopt.gcode import read_program

    kept = [line for line in program.text.splitlines() if _HARMLESS.match(line.strip())]
    return read_program("\n".join([*kept, "M105", ""]))


def _of_program(made: Program) -> str:
    return f"{made.line_count} lines, {made.layer_count} layers, {made.time_s / 60:.0f} min, {made.filament_g:.2f} g"


def _of_lab(lab: Lab) -> str:
    scale = "no scale" if lab.scale is None else lab.scale.name
    count = len(lab.printers)
    return f"{count} printer{'s' * (count != 1)}, {scale}, {lab.frame.name}, {lab.handler.name}"


def _conversation(printer: Printer, program: Program) -> Step:
    what = f"talk to {printer.name}"
    try:
        outcome = printer.print(without_heat_and_motion(program), lambda event: None)
    except ToughoptError as error:
        return Step(what, False, str(error))
    if outcome.status is not PrintStatus.PRINTED:
        return Step(what, False, outcome.reason)
    return Step(what, True, f"{outcome.lines_sent} lines that heat and move nothing, {outcome.resends} sent again")
