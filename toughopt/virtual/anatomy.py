"""What the press can see of a part: its sections, and the struts that it finds in them.

Everything is read off the beads that were laid down; neither a design nor a comment in a program is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toughopt.virtual.sections import Sections, cut
from toughopt.virtual.struts import Struts, find_struts

if TYPE_CHECKING:
    from toughopt.gcode.deposit import Deposit


@dataclass(frozen=True, slots=True)
class Structure:
    """A part as the press sees it: always its sections, and its struts where it has some."""

    sections: Sections
    struts: Struts | None


def structure(deposit: Deposit) -> Structure:
    """Sections and struts of what was laid down."""
    sections, samples = cut(deposit)
    return Structure(sections, find_struts(samples, sections))
