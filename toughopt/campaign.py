"""What campaign.toml may say: CampaignConfig and the parts that it names."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from toughopt.errors import ConfigError
from toughopt.files import in_shell
from toughopt.tomlplace import broken_toml, line_of

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
ObjectiveName = Literal[
    "toughness_j",
    "energy_absorbing_efficiency",
    "specific_energy_j_per_g",
    "peak_force_n",
    "stiffness_n_per_mm",
    "plateau_stress_mpa",
    "crush_force_efficiency",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParameterConfig(_Part):
    """Narrower limits for one of the family's parameters."""

    low: float | None = None
    high: float | None = None
    step: Positive | None = None
    values: list[str | float | int] | None = None


class FamilyConfig(_Part):
    """Which structure is varied, within which limits, with what held fixed."""

    name: str = "crossed_barrel"
    fixed: dict[str, float | int | str | list[float]] = {}
    parameters: dict[str, ParameterConfig] = {}


class AgainstConfig(_Part):
    """A further objective: the first one is weighed against it."""

    name: Literal[ObjectiveName, "mass_g", "print_time_s", "filament_g"]
    goal: Literal["max", "min"] = "min"
    reference: Finite | None = None


class ObjectiveConfig(_Part):
    """What is optimized, and how a specimen that was too strong for the force limit counts."""

    name: ObjectiveName = "toughness_j"
    goal: Literal["max", "min"] = "max"
    too_strong: Literal["as_published", "censored"] = "as_published"
    reference: Finite | None = None
    against: Annotated[list[AgainstConfig], Field(max_length=3)] = []

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [self.name, *(further.name for further in self.against)]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is named twice; each objective can be weighed once")
        return self


class OptimizerConfig(_Part):
    """How designs are chosen."""

    policy: str = "default"
    initial: Count = 5
    batch: Count = 1
    lookahead: Annotated[int, Field(ge=0)] = 1
    features: bool = True
    prior: Literal["none", "press"] = "none"
    context: list[Literal["printer"]] = []
    learn_from: list[str] = []  # folders of earlier campaigns
    settings: dict[str, Any] = {}


class SlicingConfig(_Part):
    """Which slicer, and what it does otherwise than the printer's profile says."""

    slicer: Literal["native", "prusaslicer"] = "native"
    overrides: dict[str, Any] = {}


class PrinterConfig(_Part):
    """One printer of the lab."""

    name: str
    profile: str = "virtual"
    url: str = "virtual"
    agent: str | None = None  # the PC that serves it, where that is another one
    clock: str = "max"
    faults: list[str] = []

    @property
    def virtual(self) -> bool:
        """Whether it is one of the virtual lab's."""
        return self.url == "virtual" and self.agent is None


class DeviceConfig(BaseModel):
    """A load frame, a scale or a handler: its kind, and whatever that kind needs."""

    model_config = ConfigDict(frozen=True, extra="allow")
    kind: str = "virtual"


class TestConfig(_Part):
    """How a specimen is crushed."""

    __test__ = False  # not a test case

    force_limit_n: Positive = 5000.0
    travel_mm: Positive | None = None  # nine tenths of the specimen's height, where it is not given
    speed_mm_per_min: Positive = 2.0
    timeout_s: Positive = 3600.0
    mass_tolerance: NotNegative = 0.2  # share by which a weighed part may differ from its program; 0: any mass is good


class CurveFileConfig(_Part):
    """What the test machine's files leave open; what is not given is found out from each file."""

    reader: str | None = None
    columns: dict[Literal["force", "displacement", "time"], str | Annotated[int, Field(ge=0)]] = {}
    decimal: Literal[".", ","] | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    force_unit: str | None = None
    displacement_unit: str | None = None
    time_unit: str | None = None


class RecoveryConfig(_Part):
    """What happens to work that a crash or a fault interrupted."""

    uncertain: Literal["ask", "discard"] | None = None  # None: discard where every device is virtual, else ask
    retries: Annotated[int, Field(ge=0)] = 2
    failures_to_disable: Count = 3


class StoppingConfig(_Part):
    """When the loop ends before its budget does."""

    target: float | None = None
    target_confidence: Annotated[float, Field(gt=0, lt=1)] = 0.9
    hours: Positive | None = None
    smallest_gain: Positive | None = None  # expected of the next test, in the objective's units
    interval: Positive | None = None  # width of the best design's 95 % interval, in the objective's units
    fewest: Count = 10  # results before `smallest_gain` and `interval` are looked at


class FleetConfig(_Part):
    """How the machines are kept busy."""

    priority: Literal["balanced", "printers", "press"] = "balanced"  # what the hands do first, where both wait
    workers: Annotated[int, Field(ge=0)] = 0  # processes that build and slice; 0: the loop's own


class MassControlConfig(_Part):
    """Whether each printer's flow follows what its parts weighed."""

    enabled: bool = False


class NotifyConfig(_Part):
    """Where messages go to people who are not there."""

    url: str | None = None
    format: Literal["json", "slack"] = "json"
    on: list[Literal["waiting", "failure", "best", "done"]] = ["waiting", "failure", "best", "done"]


class StoreConfig(_Part):
    """Where the journal is: in the folder, or in PostgreSQL."""

    url: str | None = None


class CampaignConfig(_Part):
    """All of campaign.toml."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "campaign"
    seed: Annotated[int, Field(ge=0)] = 1
    budget: Count = 25
    family: FamilyConfig = FamilyConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    slicing: SlicingConfig = SlicingConfig()
    printers: Annotated[list[PrinterConfig], Field(min_length=1)] = [PrinterConfig(name="printer-1")]
    scale: DeviceConfig = DeviceConfig()
    frame: DeviceConfig = DeviceConfig()
    handler: DeviceConfig = DeviceConfig()
    test: TestConfig = TestConfig()
    curve_file: CurveFileConfig = CurveFileConfig()
    analysis: dict[str, Any] = {}
    recovery: RecoveryConfig = RecoveryConfig()
    fleet: FleetConfig = FleetConfig()
    mass_control: MassControlConfig = MassControlConfig()
    stopping: StoppingConfig = StoppingConfig()
    notify: NotifyConfig = NotifyConfig()
    store: StoreConfig = StoreConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [printer.name for printer in self.printers]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two printers are called {', '.join(sorted(twice))}; each needs a name of its own")
        remote = [printer.name for printer in self.printers if printer.agent is not None]
        if remote and self.store.url is None:
            raise ValueError(
                f"{remote[0]} is served by the agent of another PC, which needs the journal in a database: "
                '[store] url = "postgresql://..."'
            )
        if len({printer.virtual for printer in self.printers}) > 1:
            raise ValueError("virtual and real printers cannot share one campaign; give every printer a url, or none")
        virtual = {"scale": self.scale.kind, "frame": self.frame.kind, "handler": self.handler.kind}
        wrong = [name for name, kind in virtual.items() if (kind == "virtual") != self.printers[0].virtual]
        if wrong and not self.printers[0].virtual:
            raise ValueError(
                f"the printer is real but {' and '.join(wrong)} virtual: a virtual one cannot hold a real specimen; "
                'use kind = "operator" or a driver'
            )
        return self

    @property
    def all_virtual(self) -> bool:
        """Whether every device is virtual, so that nothing real can be harmed or wasted."""
        return self.printers[0].virtual and {self.scale.kind, self.frame.kind, self.handler.kind} == {"virtual"}

    @property
    def mixture(self) -> str | None:
        """Why no run can begin although each device is possible: a virtual printer beside real machines; else None."""
        if self.all_virtual or not self.printers[0].virtual:
            return None
        kinds = {"scale": self.scale.kind, "frame": self.frame.kind, "handler": self.handler.kind}
        real = ", ".join(f"{part} is {kind!r}" for part, kind in kinds.items() if kind != "virtual")
        return (
            f"the printers are virtual, but {real}: a run needs a lab that is virtual as a whole, or real. Give the "
            'printers a url, or make scale, frame and handler kind = "virtual"'
        )

    @property
    def discards_uncertain(self) -> bool:
        """Whether work in doubt is thrown away and done again without asking."""
        rule = self.recovery.uncertain
        return self.all_virtual if rule is None else rule == "discard"


FIXED_FOR_LIFE = ("family", "objective")  # what a campaign cannot change while it runs


def load_config(path: Path) -> CampaignConfig:
    """Read and check a campaign.toml.

    Raises
    ------
    ConfigError
        With file, line, key, value and the nearest allowed key, where something is wrong.
    """
    return parse_config(config_text(path), str(path))


def config_text(path: Path) -> str:
    """The text of a campaign.toml. Raises ConfigError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path} is not there; `toughopt new {in_shell(path.parent)}` writes one") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read: {error}; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def parse_config(text: str, where: str = "campaign.toml") -> CampaignConfig:
    """The configuration that a campaign.toml's text means. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {broken_toml(text, error)}") from error
    try:
        return CampaignConfig.model_validate(raw)
    except ValidationError as error:
        problems = [_explained(problem, text, where) for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from error


def changed_for_life(old: dict[str, Any], new: CampaignConfig) -> list[str]:
    """Sections that differ from `old` although a campaign cannot change them."""
    now = new.model_dump(mode="json")
    before = CampaignConfig.model_validate(old).model_dump(mode="json")
    return [section for section in FIXED_FOR_LIFE if now[section] != before[section]]


def _explained(problem: Any, text: str, where: str) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    line = line_of(problem["loc"], text)
    place = f"{where}, line {line}" if line else where
    if problem["type"] == "extra_forbidden":
        known = _fields_at(location[:-1])
        near = get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed here: {', '.join(known)}"
        return f"{place}: {key} is not a key that a campaign knows; {hint}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error":
        near = get_close_matches(str(problem["input"]), re.findall("'([^']*)'", problem["ctx"]["expected"]), n=1)
        message += f"; did you mean {near[0]!r}?" if near else ""
    elif problem["type"] == "list_type" and isinstance(problem["input"], dict):
        message = f"a table stands here where there may be several: write [[{key}]]"
    if not location:
        return f"{place}: {message}"
    return f"{place}: {key} = {problem['input']!r}: {message[:1].lower()}{message[1:]}"


def _fields_at(location: list[str]) -> list[str]:
    model: Any = CampaignConfig
    for part in location:
        if part.isdigit():
            continue
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            return []
        arguments = getattr(field.annotation, "__args__", ())
        nested = [a for a in (field.annotation, *arguments) if hasattr(a, "model_fields")]
        if not nested:
            return []
        model = nested[0]
    return sorted(model.model_fields)
