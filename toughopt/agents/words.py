"""Programs and outcomes as JSON, on their way between PCs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toughopt.errors import DeviceError, FirmwareHalted, HeatersUnknown, LinkLost, Mistake, PrintFailed, ProgramError
from toughopt.printing import PrintOutcome, PrintStatus

if TYPE_CHECKING:
    from toughopt.errors import ToughoptError
    from toughopt.gcode import Program

_FIELDS = ("layer_count", "time_s", "filament_mm", "filament_g", "bounds_mm", "profile")
_ERRORS = {
    kind.__name__: kind for kind in (DeviceError, FirmwareHalted, HeatersUnknown, LinkLost, Mistake, PrintFailed)
}


def program_out(program: Program, digest: str) -> dict[str, Any]:
    """What is known of a program; its text travels as the artifact `digest`."""
    facts = {name: getattr(program, name) for name in _FIELDS}
    return {"program": digest, **facts, "metadata": dict(program.metadata)}


def program_in(payload: Mapping[str, Any], text: bytes) -> Program:
    """The program again."""
    from toughopt.gcode import Program

    low, high = (tuple(float(value) for value in corner) for corner in payload["bounds_mm"])
    facts = {name: payload[name] for name in _FIELDS if name != "bounds_mm"}
    return Program(text.decode(), bounds_mm=(low, high), metadata=payload["metadata"], **facts)  # type: ignore[arg-type]


def outcome_out(outcome: PrintOutcome) -> dict[str, Any]:
    """How a print ended."""
    facts = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
    return facts | {"status": str(outcome.status), "faults": [plain(fault) for fault in outcome.faults]}


def outcome_in(answer: Mapping[str, Any]) -> PrintOutcome:
    """How a print ended, again."""
    facts = dict(answer)
    return PrintOutcome(**facts | {"status": PrintStatus(facts["status"]), "faults": tuple(facts["faults"])})


def error_out(error: ToughoptError) -> dict[str, Any]:
    """An error that a machine raised."""
    return {"error": type(error).__name__, "message": str(error)}


def error_in(answer: Mapping[str, Any], machine: str) -> ToughoptError:
    """The error again, with the machine's name."""
    message = f"{machine}: {answer['message']}"
    if answer["error"] == ProgramError.__name__:
        return ProgramError(message)
    return _ERRORS.get(answer["error"], DeviceError)(message)


def plain(data: Any) -> Any:
    """What JSON can hold of what an event tells."""
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    return data if isinstance(data, str | int | float | bool | None) else str(data)
