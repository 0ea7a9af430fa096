"""Which whole programs are not printed at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.errors import ProgramError

if TYPE_CHECKING:
    from toughopt.gcode import Program
    from toughopt.profiles import PrinterProfile

# what the host sees to itself, or what harms nothing
_SEEN_TO = frozenset({"heater_on_at_end", "motors_on_at_end", "fan_on_at_end", "nothing_extruded"})


def refuse_errors(program: Program, profile: PrinterProfile) -> None:
    """Check a program for a printer.

    Raises
    ------
    ProgramError
        If the checker finds an error that no host sees to.
    """
    from toughopt.gcode import check  # heavy, and only prints of whole programs need it

    findings = check(program, profile).findings
    errors = [
        f"{program.name}, line {finding.line}: {finding.message}" if finding.line else finding.message
        for finding in findings
        if finding.severity == "error" and finding.code not in _SEEN_TO
    ]
    if errors:
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise ProgramError(f"{program.name} is not printed: {'; '.join(errors[:3])}{more}")
