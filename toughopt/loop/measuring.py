"""From a test-machine file to the number that the campaign optimizes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, CurveError, InputError, UnknownName
from toughopt.journal import events as ev
from toughopt.tomlplace import said_at

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig

_KEYS = (
    (r"column_map=\{'(\w+)': (?:name|index)\}", r"[curve_file] columns.\1 in campaign.toml"),
    (r"\bcolumn_map (says|names)\b", r"[curve_file] columns \1"),
    (r"\bcolumn_map\b", "[curve_file] columns in campaign.toml"),
    (r"\b(decimal|separator|encoding|force_unit|displacement_unit|time_unit)(?==)", r"[curve_file] \1"),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one test says; `value` is None where it says nothing, and `reason` why."""

    value: float | None
    reason: str = ""
    censored: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)
    mass_g: float | None = None
    curve: str | None = None
    by: str = "lab"

    def event(self) -> ev.Complete:
        """The event that ends the experiment. Only for a measurement with a value."""
        if self.value is None:
            raise CurveError(f"there is no value to record: {self.reason}")
        return ev.Complete(
            value=self.value,
            censored=self.censored,
            result=dict(self.result),
            mass_g=self.mass_g,
            curve=self.curve,
            by=self.by,
        )


@dataclass(frozen=True, slots=True)
class Body:
    """What is known of a specimen before it is crushed, mm and mm2; None where it is not known."""

    height_mm: float | None = None
    area_mm2: float | None = None

    @classmethod
    def of_size(cls, width_mm: float, height_mm: float) -> Body:
        """From its largest width and its height; the area is that of the hexagon around its footprint's circle.

        2 sqrt(3) r_max^2 is the area that Snapp et al. (Nature Communications 2024, doi 10.1038/s41467-024-48534-4)
        divide by, as of a honeycomb in which such parts would be packed.
        """
        return cls(height_mm, 2 * math.sqrt(3) * (width_mm / 2) ** 2)


def measure_file(
    config: CampaignConfig, data: bytes, name: str, *, mass_g: float | None, body: Body, by: str = "lab"
) -> Measurement:
    """Read a test-machine file and analyse it as the campaign asks.

    Raises
    ------
    CurveError
        If the file holds no curve, or several.
    ConfigError
        If `[analysis]` says what an analysis cannot do.
    """
    from toughopt.compression import Effect, FileAnalysis, analyze, read_curves

    told = config.curve_file.model_dump(exclude_defaults=True)
    try:
        curves = read_curves(data, column_map=told.pop("columns", None), **told)
    except CurveError as error:
        raise CurveError(f"{name}: {_as_configured(str(error).removeprefix('the file: '))}") from error
    if len(curves) != 1:
        raise CurveError(f"{name} holds {len(curves)} specimens; a file for one experiment holds one")
    settings = analysis_settings(config)
    result = analyze(curves[0], height_mm=body.height_mm, mass_g=mass_g, area_mm2=body.area_mm2, settings=settings)
    figures = FileAnalysis(name, curves[0].specimen, result).as_dict()
    value = figures[config.objective.name]
    reason = ""
    if value is None:
        rejected = [finding.message for finding in result.findings if finding.effect is Effect.REJECT]
        reason = _as_configured("; ".join(rejected)) or f"{config.objective.name} cannot be computed for {name}"
    return Measurement(value, reason, result.censored, figures, mass_g, by=by)


def _as_configured(message: str) -> str:
    """A message that names arguments of Python, naming the keys of campaign.toml that say the same."""
    for pattern, key in _KEYS:
        message = re.sub(pattern, key, message)
    return message


def check_measuring(config: CampaignConfig, folder: Path) -> None:
    """Whether curves can be read and analysed as configured. Raises ConfigError, UnknownName, with the line."""
    from toughopt.compression import check_options

    told = config.curve_file.model_dump(exclude_defaults=True)
    for key in ("reader", "encoding", "force_unit", "displacement_unit", "time_unit"):
        with said_at(folder, "curve_file", key):
            try:
                check_options(**{key: told.get(key)})
            except CurveError as error:
                raise ConfigError(str(error)) from error
    with said_at(folder, "analysis", *_at_fault(config)):
        analysis_settings(config)


def _at_fault(config: CampaignConfig) -> list[str]:
    """The key of `[analysis]` without which the others could be followed; none where there is no such key."""
    for key in config.analysis:
        others = {name: value for name, value in config.analysis.items() if name != key}
        try:
            analysis_settings(config.model_copy(update={"analysis": others}))
        except InputError:
            continue
        return [key]
    return []


def analysis_settings(config: CampaignConfig) -> Any:
    """The analysis that `[analysis]`, `[test]` and `[objective]` ask for. Raises ConfigError, UnknownName."""
    from toughopt.compression import AnalysisSettings

    wanted = {
        "force_limit_n": config.test.force_limit_n,
        "too_strong": config.objective.too_strong,
        **config.analysis,
    }
    unknown = sorted(wanted.keys() - AnalysisSettings.__dataclass_fields__.keys())
    if unknown:
        raise UnknownName("key of [analysis]", unknown[0], AnalysisSettings.__dataclass_fields__)
    try:
        return AnalysisSettings(**wanted)
    except TypeError as error:
        raise ConfigError(f"[analysis] holds a value of the wrong kind, such as text for a number: {error}") from error
    except CurveError as error:
        raise ConfigError(f"[analysis] {error}") from error
