"""Whether a program may be printed on a machine: every move, temperature and layer against the profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.checks_state import state_findings
from toughopt.gcode.checks_text import text_findings
from toughopt.gcode.figures import figures_of
from toughopt.gcode.moves import Moves
from toughopt.gcode.planner import Plan, limits_of, plan
from toughopt.gcode.reader import layer_starts
from toughopt.gcode.report import CheckReport, Finding, LayerFigures, Severity
from toughopt.gcode.variables import Box, bed_box, inside_bed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.base import Program
    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile

_TOLERANCE_MM = 0.01
_LEAST_SHARE, _MOST_SHARE = 0.8, 1.2  # of the nozzle's thinnest and widest line, on the average of a layer
_FLOOD = 3.0  # times the nozzle's widest line on the average of a program: no machine prints that
_TOO_FAST = 1.02


def check(program: Program, profile: PrinterProfile, *, solid: Solid | None = None) -> CheckReport:
    """Check `program`, of whatever slicer, against the machine of `profile`.

    Parameters
    ----------
    solid : the part in its place on the machine (see `on_bed`); with it, extrusion outside its outline is found too

    Returns
    -------
    CheckReport
        ``ok`` where nothing forbids printing; findings tell line, place, value and limit.
    """
    moves = program.moves
    planned = plan(moves, profile)
    layers = _layers(moves, planned, profile)
    figures = figures_of(moves, profile.filament.diameter_mm, profile.filament.density_g_per_cm3)
    findings = [
        *text_findings(moves.commands, program, profile),
        *state_findings(moves, profile),
        *_volume_findings(moves, profile),
        *_speed_findings(moves, profile),
        *_layer_findings(layers, profile),
    ]
    if solid is not None:
        from toughopt.gcode.checks_outline import outline_findings

        findings += outline_findings(program, profile, solid)
    findings.sort(key=lambda finding: (finding.severity is Severity.WARNING, finding.line))
    return CheckReport(
        findings=tuple(findings),
        layers=layers,
        layer_count=len(layers.z_mm),
        time_s=planned.total_s,
        filament_mm=figures.filament_mm,
        filament_g=figures.filament_g,
        bounds_mm=figures.bounds_mm,
        travel_bounds_mm=_travel_bounds(moves),
        fastest_mm_s=_fastest(moves),
        max_nozzle_c=max((float(target.values.max()) for target in moves.nozzle_targets.values()), default=0.0),
        max_bed_c=float(moves.bed_target.values.max()),
        line_count=moves.commands.line_count,
    )


def _travel_bounds(moves: Moves) -> Box:
    if not moves.count:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    x, y, z = (float(value) for value in moves.end_mm.min(axis=0))
    far_x, far_y, far_z = (float(value) for value in moves.end_mm.max(axis=0))
    return (x, y, z), (far_x, far_y, far_z)


def _fastest(moves: Moves) -> float:
    moved = np.any(moves.end_mm != moves.start_mm, axis=1)
    return float(moves.feed_mm_s[moved].max(initial=0.0))


def _volume_findings(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    end = moves.end_mm
    bed, margin = profile.bed, profile.bed.margin_mm
    beyond = ~inside_bed(profile, end[:, :2], margin + _TOLERANCE_MM)
    low_x, high_x, low_y, high_y = bed_box(profile)
    if beyond.any():
        at = int(np.flatnonzero(beyond)[0])
        x, y, z = end[at].tolist()
        yield Finding(
            Severity.ERROR,
            "outside_volume",
            f"the move to X{x:g} Y{y:g} leaves the bed of {profile.name} "
            f"(x {low_x:g} to {high_x:g}, y {low_y:g} to {high_y:g}, {margin:g} mm beyond allowed); move the part",
            line=int(moves.line[at]) + 1,
            place=f"X{x:g} Y{y:g} Z{z:g}",
            value=float(max(low_x - x, x - high_x, low_y - y, y - high_y, 0.0)),
            limit=margin,
            unit="mm beyond the bed",
            count=int(beyond.sum()),
        )
    z = end[:, 2]
    high = (z > bed.height_mm + _TOLERANCE_MM) | (z < -_TOLERANCE_MM)
    if high.any():
        at = int(np.flatnonzero(high)[0])
        yield Finding(
            Severity.ERROR,
            "outside_volume",
            f"the move to Z{z[at]:g} leaves the height of {profile.name}, 0 to {bed.height_mm:g} mm; lower the part",
            line=int(moves.line[at]) + 1,
            place=f"Z{z[at]:g}",
            value=float(z[at]),
            limit=bed.height_mm if z[at] > 0 else 0.0,
            unit="mm",
            count=int(high.sum()),
        )


def _speed_findings(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    if not moves.count:
        return
    limits = limits_of(moves, profile)
    fastest = np.maximum(np.array(profile.motion.max_speed_mm_s), np.max(limits.speed, axis=0))
    delta = np.concatenate([moves.end_mm - moves.start_mm, moves.e_mm[:, None]], axis=1)
    way = np.linalg.norm(delta[:, :3], axis=1)
    length = np.where(way > 1e-9, way, np.abs(delta[:, 3]))
    speed = np.abs(delta) / length[:, None] * moves.feed_mm_s[:, None]
    for axis, name in ((0, "X"), (1, "Y"), (3, "E")):  # slicers give Z their travel speed, and firmware slows it
        over = speed[:, axis] > fastest[axis] * _TOO_FAST
        if over.any():
            at = int(np.argmax(speed[:, axis]))
            yield Finding(
                Severity.WARNING,
                "too_fast",
                f"axis {name} is asked for {speed[at, axis]:.1f} mm/s, the machine allows "
                f"{fastest[axis]:g}: it will be slower than told",
                line=int(moves.line[at]) + 1,
                place=f"axis {name}",
                value=float(speed[at, axis]),
                limit=float(fastest[axis]),
                unit="mm/s",
                count=int(over.sum()),
            )


def _layers(moves: Moves, planned: Plan, profile: PrinterProfile) -> LayerFigures:
    starts = layer_starts(moves)
    count = len(starts)
    lines = np.array([line for line, _ in starts], dtype=np.int64)
    which = np.searchsorted(lines, moves.line, "right") - 1
    inside = which >= 0
    laid = moves.lays_down & inside
    own = which[laid]
    z = np.array([value for _, value in starts])
    unknown = np.isnan(z)
    if unknown.any():  # the height at which most was extruded
        top = np.zeros(count)
        np.maximum.at(top, own, moves.end_mm[laid, 2])
        z = np.where(unknown, top, z)
    order = np.argsort(z, kind="stable")
    height = np.empty(count)
    height[order] = np.diff(z[order], prepend=0.0)
    area = np.pi * profile.filament.diameter_mm**2 / 4

    def per_layer(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.bincount(which[chosen], values[chosen], minlength=count).astype(np.float64)
        return total

    filament = per_layer(moves.extruded_mm, laid)
    length = per_layer(planned.length_mm, laid)
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.where((length > 0) & (height > 0), filament * area / (length * height), np.nan)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, own, moves.start_mm[laid, 2])
    np.maximum.at(high, own, moves.end_mm[laid, 2])
    return LayerFigures(
        z_mm=z,
        height_mm=height,
        filament_mm=filament,
        volume_mm3=filament * area,
        length_mm=length,
        width_mm=width,
        rise_mm=np.where(high > low, high - low, 0.0),
        time_s=per_layer(planned.move_s, inside),
    )


def _layer_findings(layers: LayerFigures, profile: PrinterProfile) -> Iterator[Finding]:
    width = layers.width_mm
    good = np.isfinite(width)
    if not good.any():
        yield Finding(Severity.ERROR, "nothing_extruded", "the program lays nothing down; slice the part again")
        return
    for index in np.flatnonzero(layers.filament_mm <= 0)[:1].tolist():
        yield Finding(
            Severity.WARNING,
            "empty_layer",
            f"layer {index + 1} at z = {layers.z_mm[index]:g} mm has no extrusion",
            place=f"layer {index + 1}",
            value=0.0,
            unit="mm of filament",
            count=int(np.sum(layers.filament_mm <= 0)),
        )
    yield from _flood_findings(layers, profile)
    thinnest = _LEAST_SHARE * _equivalent(profile.nozzle.line_width_min_mm, layers.height_mm)
    widest = _MOST_SHARE * profile.nozzle.line_width_max_mm
    for code, off, limits in (
        ("over_extrusion", good & (width > widest), np.full(len(width), widest)),
        ("under_extrusion", good & (width < thinnest) & ~_ramps(layers), thinnest),
    ):
        if off.any():
            index = int(np.flatnonzero(off)[0])
            yield Finding(
                Severity.WARNING,
                code,
                f"layer {index + 1} at z = {layers.z_mm[index]:g} mm is laid {width[index]:.3f} mm wide on average; "
                f"the nozzle's lines are {profile.nozzle.line_width_min_mm:g} to {profile.nozzle.line_width_max_mm:g}",
                place=f"layer {index + 1}",
                value=float(width[index]),
                limit=float(limits[index]),
                unit="mm",
                count=int(off.sum()),
            )


def _flood_findings(layers: LayerFigures, profile: PrinterProfile) -> Iterator[Finding]:
    """A program whose lines are, all in all, wider than can be: of one layer its height may have been misread."""
    high = layers.height_mm > 0  # parts printed one after the other have several layers at one height
    room_mm2 = float(np.sum((layers.length_mm * layers.height_mm)[high]))
    width_mm = float(np.sum(layers.volume_mm3[high])) / room_mm2 if room_mm2 > 0 else 0.0
    limit_mm = _FLOOD * profile.nozzle.line_width_max_mm
    if width_mm > limit_mm:
        yield Finding(
            Severity.ERROR,
            "flooded",
            f"lines are laid {width_mm:.3f} mm wide on the program's average, more than {_FLOOD:g} times the widest of "
            f"the nozzle's, {profile.nozzle.line_width_max_mm:g}; look at layer height, flow and filament diameter",
            place="whole program",
            value=width_mm,
            limit=limit_mm,
            unit="mm",
        )


def _ramps(layers: LayerFigures) -> NDArray[np.bool_]:
    """(m,) bool: first turn of a spiral and the one after its last, in which the flow swells and fades."""
    rises = layers.rise_mm > 0.25 * layers.height_mm
    before = np.concatenate([[False], rises[:-1]])
    ramps: NDArray[np.bool_] = rises != before
    return ramps


def _equivalent(width_mm: float, height_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross-section over height of a line with round sides."""
    return width_mm - height_mm * (1 - np.pi / 4)
