"""Everything toughopt raises on purpose.

ToughoptError
├── InputError               what a person wrote or handed in is wrong          exit code 2
│   ├── ConfigError          campaign.toml, a printer profile or a template
│   ├── SpaceError           a parameter space that contradicts itself
│   ├── DesignError          outside its family's limits
│   ├── ObservationError     a measured value that a model cannot use
│   ├── MeshError            a mesh that is open, inverted, empty or unprintable
│   ├── ProgramError         G-code that cannot be read or that the checker refuses
│   ├── CurveError           a test-machine file or its curve
│   ├── ExtensionError       what another package adds failed at its work, or answered what it must not
│   └── UnknownName          no family, printer, policy, reader or experiment of that name
├── DeviceError              a machine did not do what it was asked             exit code 3
│   ├── LinkLost             the line to a machine is gone or silent
│   ├── FirmwareHalted       the firmware stopped itself; only a reset helps
│   ├── PrintFailed          the print ended, and not well
│   ├── FrameFault           the load frame refused, or left its limits
│   ├── HeatersUnknown       heaters are NOT known to be off
│   └── Mistake              the program failed while a machine was at work
├── JournalError             the log cannot be read or written                  exit code 1
│   └── CampaignBusy         another process conducts this campaign             exit code 4
└── RunFailed                the run ended without what it was for              exit code 1
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class ToughoptError(Exception):
    """Base of everything that toughopt raises on purpose; the message is one a person can act on."""

    exit_code: ClassVar[int] = 1


class InputError(ToughoptError):
    """What a person wrote or handed in is wrong."""

    exit_code = 2


class ConfigError(InputError):
    """A campaign file, a printer profile or a template says something that cannot be."""


class SpaceError(InputError):
    """A parameter space that is empty or contradicts itself."""


class DesignError(InputError):
    """A design outside its family's limits."""


class ObservationError(InputError):
    """A measured value that a model cannot use."""


class MeshError(InputError):
    """A mesh that is open, inverted, empty or unprintable."""


class ProgramError(InputError):
    """A G-code program that cannot be read, or that the checker refuses."""


class CurveError(InputError):
    """A test-machine file that holds no usable curve, or a curve that is none."""


class ExtensionError(InputError):
    """What another package adds failed at its work, or answered with what its seam does not allow."""


class UnknownName(InputError):
    """A name that nothing answers to; the message lists the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(str(name), names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
        super().__init__(f"there is no {kind} called {name!r}; {hint}")
        self.kind = kind
        self._given = (kind, name, tuple(names))

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, tuple[str, ...]]]:
        """So that it comes out of a worker process as it went in."""
        return (UnknownName, self._given)


class DeviceError(ToughoptError):
    """A machine did not do what it was asked."""

    exit_code = 3


class LinkLost(DeviceError):
    """The line to a machine is gone or silent."""


class FirmwareHalted(DeviceError):
    """The firmware stopped itself; only a reset helps."""


class PrintFailed(DeviceError):
    """A print ended, and not well."""


class FrameFault(DeviceError):
    """The load frame refused, or left its limits."""


class HeatersUnknown(DeviceError):
    """The heaters are not known to be off: somebody has to look."""


class Mistake(DeviceError):
    """The program failed while a machine was at work: nobody knows what the machine is at."""


class JournalError(ToughoptError):
    """The log cannot be read or written."""


class CampaignBusy(JournalError):
    """Another process conducts this campaign."""

    exit_code = 4


class RunFailed(ToughoptError):
    """A run that ended without what it was for."""
