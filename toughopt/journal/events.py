"""What can happen in a campaign: one pydantic model a kind of event, versioned, checked before it is written."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Design = dict[str, float | int | str]


class Payload(BaseModel):
    """Base of all payloads; `kind` and `version` are what the journal stores beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    kind: ClassVar[str]
    version: ClassVar[int] = 1


class CampaignCreated(Payload):
    """The first event: what was asked, word for word and as it was understood."""

    kind = "campaign_created"
    config_toml: str
    config: dict[str, Any]
    versions: dict[str, str]


class CampaignChanged(Payload):
    """campaign.toml was edited between two starts."""

    kind = "campaign_changed"
    config_toml: str
    config: dict[str, Any]


class ConductorStarted(Payload):
    """A process took the campaign over."""

    kind = "conductor_started"
    pid: int
    host: str
    versions: dict[str, str]


class ConductorStopped(Payload):
    """It let go, and why; a start without a stop before the next start was a crash."""

    kind = "conductor_stopped"
    reason: str


class Proposed(Payload):
    """A design was chosen, and by what: the decision carries all that made it."""

    kind = "proposed"
    version = 2
    design: Design
    source: Literal["policy", "person", "retry", "import"]
    decision: dict[str, Any] | None = None
    retry_of: int | None = None
    manual: bool = False  # handed to a person by `suggest` or `add`, not to the machines
    note: str = ""
    printer: str = ""  # the one that it was chosen for, where that made a difference


class Built(Payload):
    """The design became a solid."""

    kind = "built"
    version = 2
    mesh: str  # artifact
    volume_mm3: float
    mass_g: float
    size_mm: tuple[float, float, float] | None = None  # of the box around it
    warnings: list[str] = []


class Sliced(Payload):
    """The solid became a program that passed the checks."""

    kind = "sliced"
    version = 2
    program: str  # artifact
    printer: str = ""  # whose profile and flow it was sliced with
    flow: float = 1.0  # extrusion multiplier that mass control asked for
    part_filament_mm: float = 0.0  # without skirt and priming; 0: not known
    slicer: str
    profile: str
    layers: int
    lines: int
    time_s: float
    filament_mm: float
    filament_g: float
    warnings: list[str] = []


class Queued(Payload):
    """The program was given to a printer."""

    kind = "queued"
    printer: str


class Printing(Payload):
    """The first line is about to be sent."""

    kind = "printing"
    printer: str
    program: str


class Printed(Payload):
    """The part is on the bed and the machine is safe."""

    kind = "printed"
    printer: str
    duration_s: float
    lines_sent: int
    resends: int = 0
    strays: int = 0
    heaters_off: bool = True
    faults: list[dict[str, Any]] = []


class Cleared(Payload):
    """The part is off the bed."""

    kind = "cleared"
    printer: str
    by: str
    path: str | None = None  # artifact: the path that a virtual printer executed


class Weighed(Payload):
    """The part's mass."""

    kind = "weighed"
    mass_g: float | None
    by: str


class Tested(Payload):
    """The part was crushed; the machine's file is kept as it was written."""

    kind = "tested"
    curve: str  # artifact
    file_name: str
    by: str


class Complete(Payload):
    """The experiment has a value."""

    kind = "complete"
    value: float
    noise_std: float | None = None
    censored: bool = False
    result: dict[str, Any] = {}
    curve: str | None = None
    mass_g: float | None = None
    by: str = "lab"


class Failed(Payload):
    """The experiment ends without a value."""

    kind = "failed"
    stage: str
    reason: str
    blame: Literal["design", "lab"]
    by: str = "lab"


class Uncertain(Payload):
    """A machine may or may not have done its work when contact was lost."""

    kind = "uncertain"
    stage: str
    reason: str


CHOICE = "choice of designs"  # what a fault calls the device where no next design could be chosen


class Fault(Payload):
    """A device did something that it should not have; the bytes are kept."""

    kind = "fault"
    device: str
    data: dict[str, Any]


class HeatersUnknown(Payload):
    """A printer's heaters are NOT known to be off."""

    kind = "heaters_unknown"
    printer: str
    reason: str


class Requested(Payload):
    """Somebody outside the conductor asks for something."""

    kind = "requested"
    verb: str
    arguments: dict[str, Any]
    who: str
    why: str = ""


class Answered(Payload):
    """What became of a request."""

    kind = "answered"
    request: int  # seq of the request
    ok: bool
    message: str
    result: dict[str, Any] = {}


class Excluded(Payload):
    """The model shall not learn from this experiment."""

    kind = "excluded"
    who: str
    why: str


class Restored(Payload):
    """The model shall learn from it again."""

    kind = "restored"
    who: str
    why: str


class Corrected(Payload):
    """A finished experiment's figures were wrong; these are the right ones."""

    kind = "corrected"
    who: str
    why: str
    value: float | None = None
    mass_g: float | None = None
    curve: str | None = None
    result: dict[str, Any] | None = None
    censored: bool | None = None


class Noted(Payload):
    """A remark, on an experiment or on the campaign."""

    kind = "noted"
    who: str
    text: str


class Crushing(Payload):
    """The load frame is about to move: from here on the specimen may be spent."""

    kind = "crushing"
    frame: str


class BedDoubted(Payload):
    """Nobody knows whether a printer's bed is clear; nothing is started on it until somebody says so."""

    kind = "bed_doubted"
    printer: str
    reason: str


class BedCleared(Payload):
    """A printer's bed is confirmed clear, after a print that left no specimen to go on with."""

    kind = "bed_cleared"
    printer: str
    by: str


class Steered(Payload):
    """A person changed how the loop runs from here on."""

    kind = "steered"
    key: str
    value: str | float | int | bool | None
    who: str
    why: str = ""


class Stopped(Payload):
    """The loop stopped by a rule, and why."""

    kind = "stopped"
    rule: str
    reason: str


KINDS: dict[str, type[Payload]] = {model.kind: model for model in Payload.__subclasses__()}
