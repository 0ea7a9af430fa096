"""The commands as forms: what each is called on a page, which fields it has, and where it is offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form. kind : "number", "text", "file", or "choice" with its choices."""

    name: str
    label: str
    kind: str = "text"
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One command. where : "loop", "printer", "experiment" or "campaign"; grave : asks again before it is sent."""

    title: str
    where: str
    tells: str
    fields: tuple[Field, ...] = ()
    grave: bool = False


_EXPERIMENT = Field("id", "Experiment", "number", "12", required=True)
_PRINTER = Field("printer", "Printer", "text", "printer-1", required=True)
_MASS = Field("mass_g", "Mass [g]", "number", "3.3")

ACTIONS: Mapping[str, Action] = {
    "pause": Action(
        "Pause",
        "loop",
        "What is under way ends, nothing new begins; ticked: the printers hold still at once.",
        (Field("now", "At once", "flag"),),
    ),
    "resume": Action("Resume", "loop", "Go on."),
    "drain": Action("Pause for the day", "loop", "Finish and test what is printing; start nothing."),
    "stop": Action("Stop", "loop", "Finish the specimens in hand, then end the run.", grave=True),
    "enable": Action("Enable", "printer", "The printer takes work again.", (_PRINTER,)),
    "disable": Action("Disable", "printer", "The printer gets no more work.", (_PRINTER,)),
    "bed-cleared": Action("Bed is clear", "printer", "You have looked: nothing lies on the bed.", (_PRINTER,)),
    "filament": Action(
        "Filament loaded",
        "printer",
        "What is on the new spool.",
        (_PRINTER, Field("grams", "Filament [g]", "number", "1000", required=True)),
    ),
    "keep-clear": Action(
        "Keep clear of the frame",
        "loop",
        "on: nothing is loaded or crushed while hands are at the frame; off: it may move again.",
        (Field("state", "Keep clear", "choice", choices=("on", "off")),),
    ),
    "tell": Action(
        "Tell a result",
        "experiment",
        "A value, or the test machine's file.",
        (
            _EXPERIMENT,
            Field("value", "Value", "number"),
            _MASS,
            Field("curve", "Test machine's file", "file"),
        ),
    ),
    "mass": Action(
        "Type in a mass",
        "experiment",
        "Weighed by hand.",
        (_EXPERIMENT, Field("mass_g", "Mass [g]", "number", "3.3", required=True)),
    ),
    "curve": Action(
        "Replace its curve",
        "experiment",
        "Another file of the same test; its value is measured again.",
        (_EXPERIMENT, Field("curve", "Test machine's file", "file", required=True)),
    ),
    "value": Action(
        "Correct its value",
        "experiment",
        "What was told by hand was mistyped.",
        (_EXPERIMENT, Field("value", "Value", "number", required=True)),
    ),
    "fail": Action(
        "Declare failed",
        "experiment",
        "design: it cannot be made, and the model learns that; lab: it is made again.",
        (_EXPERIMENT, Field("blame", "To blame", "choice", choices=("design", "lab"))),
        grave=True,
    ),
    "reprint": Action("Print again", "experiment", "The same design once more.", (_EXPERIMENT,)),
    "printed": Action("It was printed", "experiment", "Settles an uncertain print.", (_EXPERIMENT,)),
    "exclude": Action("Leave out", "experiment", "The model does not learn from it.", (_EXPERIMENT,)),
    "restore": Action("Take in again", "experiment", "The model learns from it again.", (_EXPERIMENT,)),
    "note": Action(
        "Note", "experiment", "A remark: written under Why.", (Field("id", "Experiment", "number", "none"),)
    ),
    "add": Action(
        "Add a design",
        "campaign",
        "It is made next.",
        (
            Field("design", "Design", "text", "n=8 theta=100 r=2 t=1", required=True),
            Field("manual", "Made by hand", "flag"),
        ),
    ),
    "suggest": Action("Suggest", "campaign", "Designs to make by hand.", (Field("count", "How many", "number", "1"),)),
    "budget": Action(
        "Set the budget", "campaign", "Experiments in all.", (Field("budget", "Experiments", "number", required=True),)
    ),
    "target": Action(
        "Set the target",
        "campaign",
        "The value at which the campaign ends; without one: none.",
        (Field("target", "Value", "number"),),
    ),
    "policy": Action(
        "Set the policy",
        "campaign",
        "How designs are chosen from here on.",
        (Field("policy", "Policy", required=True), Field("printer", "Printer", "text", "all")),
    ),
    "limits": Action(
        "Narrow the limits",
        "campaign",
        "Within the campaign's own; without numbers: free again.",
        (
            Field("parameter", "Parameter", required=True),
            Field("low", "From", "number"),
            Field("high", "To", "number"),
        ),
    ),
    "printability": Action(
        "Set the printability threshold",
        "campaign",
        "Designs less likely to print are not chosen.",
        (Field("probability", "Probability", "number", "0.5", required=True),),
    ),
}
