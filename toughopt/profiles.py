"""What a printer profile (`printers/*.toml`) may say, in physical units, and how it is found."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from toughopt.errors import ConfigError, UnknownName
from toughopt.resources import printer_profiles
from toughopt.tomlplace import nearest_line

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bed(_Part):
    """What can be printed on, and how high."""

    shape: Literal["rectangle", "circle"] = "rectangle"
    size_mm: tuple[Positive, Positive] = (250.0, 210.0)
    origin: Literal["corner", "center"] = "corner"
    height_mm: Positive = 200.0
    margin_mm: NotNegative = 0.0  # how far beyond the bed the head may go, on every side


class Nozzle(_Part):
    """One nozzle and the lines that it can lay down."""

    diameter_mm: Positive = 0.4
    line_width_min_mm: Positive = 0.34
    line_width_mm: Positive = 0.45
    line_width_max_mm: Positive = 0.65

    @model_validator(mode="after")
    def _widths_rise(self) -> Self:
        if not self.line_width_min_mm <= self.line_width_mm <= self.line_width_max_mm:
            raise ValueError(
                f"line widths must rise from min to max, but they are {self.line_width_min_mm:g}, "
                f"{self.line_width_mm:g} and {self.line_width_max_mm:g} mm"
            )
        return self


class Filament(_Part):
    """What is fed to the nozzle."""

    material: str = "PLA"
    diameter_mm: Positive = 1.75
    density_g_per_cm3: Positive = 1.24
    flow: Positive = 1.0
    nozzle_c: Positive = 210.0
    first_layer_nozzle_c: Positive = 215.0
    bed_c: NotNegative = 60.0
    release_bed_c: NotNegative = 30.0


class Motion(_Part):
    """What the machine's firmware allows; used for time estimates and checks."""

    max_speed_mm_s: tuple[Positive, Positive, Positive, Positive] = (200.0, 200.0, 12.0, 80.0)  # x, y, z, e
    max_acceleration_mm_s2: tuple[Positive, Positive, Positive, Positive] = (1250.0, 1250.0, 400.0, 4000.0)
    print_acceleration_mm_s2: Positive = 1000.0
    travel_acceleration_mm_s2: Positive = 1250.0
    retract_acceleration_mm_s2: Positive = 1250.0
    junction_deviation_mm: Positive = 0.02
    jerk_mm_s: tuple[NotNegative, NotNegative, NotNegative, NotNegative] | None = None  # classic jerk, where used


class Speeds(_Part):
    """How fast each kind of line is printed, mm/s."""

    external_perimeter: Positive = 35.0
    perimeter: Positive = 45.0
    solid_infill: Positive = 60.0
    gap_fill: Positive = 30.0
    bridge: Positive = 25.0
    overhang: Positive = 20.0
    first_layer: Positive = 20.0
    travel: Positive = 150.0
    retract: Positive = 40.0


class SliceSettings(_Part):
    """How a solid becomes lines."""

    mode: Literal["solid", "vase"] = "solid"
    layer_height_mm: Positive = 0.2
    first_layer_height_mm: Positive = 0.2
    perimeters: Annotated[int, Field(ge=1, le=20)] = 1  # beside a solid fill; thinner walls take what fits
    vase_bottom_layers: Annotated[int, Field(ge=0)] = 0  # solid layers under a spiral vase
    infill_angle_deg: float = 45.0
    seam: Literal["nearest", "rear", "aligned", "random"] = "nearest"
    tolerance_mm: Positive = 0.022  # how far lines may be from the curves that they follow
    retract_mm: NotNegative = 0.8
    retract_above_mm: NotNegative = 1.5
    skirt_loops: Annotated[int, Field(ge=0)] = 0
    skirt_distance_mm: NotNegative = 3.0
    brim_mm: NotNegative = 0.0
    minimum_layer_time_s: NotNegative = 5.0
    minimum_speed_mm_s: Positive = 10.0
    fan: Annotated[float, Field(ge=0, le=1)] = 1.0
    fan_from_layer: Annotated[int, Field(ge=1)] = 2


class Serial(_Part):
    """The line to the machine."""

    baud: Annotated[int, Field(gt=0)] = 115200
    reset_on_connect: bool = True
    banner_timeout_s: Positive = 10.0
    rx_buffer_bytes: Annotated[int, Field(ge=16)] = 128
    buffer_lines: Annotated[int, Field(ge=1)] = 4


class Limits(_Part):
    """What the host never sends, whatever a program says."""

    max_nozzle_c: Positive = 260.0
    max_bed_c: Positive = 110.0
    min_extrude_c: Positive = 170.0
    home_first: bool = True
    longest_pause_s: Positive = 3600.0
    heating_timeout_s: Positive = 900.0


class PrinterProfile(_Part):
    """One machine, as its TOML file tells it."""

    name: str
    title: str = ""
    firmware: Literal["marlin", "klipper", "reprapfirmware"] = "marlin"
    templates: str = "marlin"
    end: Literal["end", "end_heat_and_release", "end_cool_and_wait"] = "end"  # the template that ends a program
    gantry: Literal["cartesian", "corexy"] = "cartesian"
    bed: Bed = Bed()
    nozzles: Annotated[tuple[Nozzle, ...], Field(min_length=1)] = (Nozzle(),)
    tool: Annotated[int, Field(ge=0)] = 0
    filament: Filament = Filament()
    motion: Motion = Motion()
    speeds: Speeds = Speeds()
    slicing: SliceSettings = SliceSettings()
    serial: Serial = Serial()
    limits: Limits = Limits()
    fan_off_at_end: bool = True

    @property
    def nozzle(self) -> Nozzle:
        """The nozzle that prints."""
        return self.nozzles[self.tool]

    @model_validator(mode="after")
    def _tool_exists(self) -> Self:
        if self.tool >= len(self.nozzles):
            raise ValueError(f"tool = {self.tool}, but there are {len(self.nozzles)} nozzles, counted from 0")
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        tallest = max(self.slicing.layer_height_mm, self.slicing.first_layer_height_mm)
        if tallest >= self.nozzle.line_width_min_mm:
            raise ValueError(
                f"layers of {tallest:g} mm must be lower than slicing's narrowest line, "
                f"nozzles[{self.tool}].line_width_min_mm = {self.nozzle.line_width_min_mm:g}"
            )
        if tallest > self.nozzle.diameter_mm:
            raise ValueError(
                f"layers of {tallest:g} mm are higher than the nozzle is wide, nozzles[{self.tool}].diameter_mm = "
                f"{self.nozzle.diameter_mm:g}"
            )
        hottest = max(self.filament.nozzle_c, self.filament.first_layer_nozzle_c)
        if hottest > self.limits.max_nozzle_c:
            raise ValueError(
                f"filament wants {hottest:g} deg C, above limits.max_nozzle_c = {self.limits.max_nozzle_c:g}"
            )
        if self.filament.bed_c > self.limits.max_bed_c:
            raise ValueError(
                f"filament.bed_c = {self.filament.bed_c:g} is above limits.max_bed_c = {self.limits.max_bed_c:g}"
            )
        return self


def available_profiles(folder: Path | None = None) -> dict[str, Path]:
    """Name -> file of every profile; those in `folder` come before the shipped ones."""
    shipped = Path(str(printer_profiles()))
    found = {path.stem: path for path in sorted(shipped.glob("*.toml"))}
    if folder is not None and folder.is_dir():
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def load_profile(name: str, folder: Path | None = None) -> PrinterProfile:
    """The profile called `name`, or the one in the TOML file of that path; `extends` is followed.

    Raises
    ------
    UnknownName
        If there is no such profile.
    ConfigError
        If its file is not TOML, extends itself, or says what a profile cannot say.
    """
    known = available_profiles(folder)
    raw, texts = _read(name, known, seen=())
    raw.setdefault("name", next(iter(texts)).stem)
    try:
        return PrinterProfile.model_validate(raw)
    except ValidationError as error:
        told = [f"{_place(fault['loc'], texts)}: {_said(fault)}" for fault in error.errors()[:5]]
        raise ConfigError("; ".join(told)) from error


def with_slicing(profile: PrinterProfile, changes: Mapping[str, Any], by: str) -> PrinterProfile:
    """The profile with other settings of its slicing, which obey all that is asked of profiles.

    by : who asks for them, with which messages begin

    Raises
    ------
    UnknownName, ConfigError
        If there is no such setting, it cannot be what it is to be, or the profile as a whole cannot be so.
    """
    if all(getattr(profile.slicing, key, None) == value for key, value in changes.items()):
        return profile
    try:
        slicing = SliceSettings.model_validate({**profile.slicing.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise UnknownName(f"key of {by}", key, SliceSettings.model_fields) from error
        raise ConfigError(f"{by} {key} = {first['input']!r}: {first['msg']}") from error
    try:  # as a whole: what its parts ask of one another holds here too
        return PrinterProfile.model_validate(profile.model_dump() | {"slicing": slicing.model_dump()})
    except ValidationError as error:
        said = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        raise ConfigError(f"{by} with the profile {profile.name!r}: {said}") from error


def _place(location: tuple[int | str, ...], texts: dict[Path, str]) -> str:
    """The file and line that say what is at `location`: the profile's own, or that of one which it extends."""
    found = {path: nearest_line(location, text) for path, text in texts.items()}
    path = max(found, key=lambda path: found[path][0])  # the first of the deepest: the profile comes before its parents
    line = found[path][1]
    return f"{path}, line {line}" if line else f"{path}"


def _said(fault: ErrorDetails) -> str:
    """One fault of a profile: the key, what it says, what is allowed, and the nearest key that there is."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        known = _keys_at(fault["loc"][:-1])
        near = get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "remove it"
        return (
            f"{key}: there is no such key (it says {fault['input']!r}); {hint} Known here: {', '.join(sorted(known))}"
        )
    allowed = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(fault["input"], dict | BaseModel):
        return f"{key}: {allowed}" if key else allowed
    return f"{key} = {fault['input']!r}: it {allowed}" if allowed.startswith("should") else f"{key}: {allowed}"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Names that a profile knows in the table at `location`."""
    model: type[BaseModel] = PrinterProfile
    for part in location:
        if isinstance(part, str):
            of = model.model_fields[part].annotation
            inner = [of, *get_args(of)]
            model = next(kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel))
    return list(model.model_fields)


def _read(name: str, known: dict[str, Path], seen: tuple[str, ...]) -> tuple[dict[str, Any], dict[Path, str]]:
    """What the profile says with all that it extends, and the text of each file that was read, its own first."""
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None or not path.is_file():
        raise UnknownName("printer profile", name, known)
    if path.stem in seen:
        raise ConfigError(f"{path}: extends goes in a circle: {' -> '.join((*seen, path.stem))}")
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    parent = raw.pop("extends", None)
    if parent is None:
        return raw, {path: text}
    base, texts = _read(str(parent), known, (*seen, path.stem))
    base.pop("name", None)
    return _merged(base, raw), {path: text} | texts


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
