"""Which whole programs are not printed at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from toughopt.errors import ProgramError
from toughopt.printing.reader import ProgramReader
from toughopt.printing.text import lines_of

if TYPE_CHECKING:
    from toughopt.gcode import CheckReport, Program
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


def as_sent(report: CheckReport, program: Program, profile: PrinterProfile) -> CheckReport:
    """The report, and in it the first line that would not be sent, unless an error of that line is told already."""
    from toughopt.gcode import Finding, Severity

    reader = ProgramReader(profile, program.name)
    try:
        for _ in reader.commands(lines_of(program.text)):
            pass
    except ProgramError as error:
        if any(finding.line == reader.line for finding in report.errors):
            return report
        message = str(error).removeprefix(f"{program.name}, line {reader.line}: ")
        finding = Finding(Severity.ERROR, "not_sent", message, line=reader.line)
        return replace(report, findings=(finding, *report.findings))
    return report


def is_refused(report: CheckReport) -> bool:
    """Whether its errors are more than what is left on at its end, which the host turns off."""
    return any(finding.code not in _SEEN_TO or finding.code == "nothing_extruded" for finding in report.errors)
