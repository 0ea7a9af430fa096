"""What the templates may name: plain numbers and words about the machine, its settings and the part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt._version import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile

_PRIME_WIDTH_MM = 0.6
_PRIME_LENGTH_MM = 60.0
_PRIME_EDGE_MM = 4.0  # from the edge of the bed
_PRIME_CLEARANCE_MM = 3.0  # from the part: far enough never to touch it
_HOTTER_FOR_RELEASE_C = 20.0

Box = tuple[tuple[float, float, float], tuple[float, float, float]]


def bed_box(profile: PrinterProfile) -> tuple[float, float, float, float]:
    """Smallest and largest x, then y, that the bed has; mm."""
    width, depth = profile.bed.size_mm
    if profile.bed.origin == "center":
        return -width / 2, width / 2, -depth / 2, depth / 2
    return 0.0, width, 0.0, depth


def inside_bed(profile: PrinterProfile, xy_mm: NDArray[np.float64], margin_mm: float = 0.0) -> NDArray[np.bool_]:
    """(n,) bool: which of the (n, 2) points lie over the bed, widened by `margin_mm` on every side."""
    low_x, high_x, low_y, high_y = bed_box(profile)
    middle = np.array([(low_x + high_x) / 2, (low_y + high_y) / 2])
    half = np.array([(high_x - low_x) / 2, (high_y - low_y) / 2]) + margin_mm
    offset = (xy_mm - middle) / half
    if profile.bed.shape == "circle":
        result: NDArray[np.bool_] = np.sum(offset**2, axis=1) <= 1.0
    else:
        result = np.all(np.abs(offset) <= 1.0, axis=1)
    return result


def variables_for(profile: PrinterProfile, part_mm: Box, layer_count: int, family: str = "") -> dict[str, Any]:
    """Every variable that a template may use, those of a change left out (see gcode_templates/README.md)."""
    low_x, high_x, low_y, high_y = bed_box(profile)
    filament, nozzle, slicing, speeds = profile.filament, profile.nozzle, profile.slicing, profile.speeds
    round_bed = profile.bed.shape == "circle"
    centre_x, centre_y = (low_x + high_x) / 2, (low_y + high_y) / 2
    part_low, part_high = part_mm
    return {
        "toughopt_version": __version__,
        "printer": profile.name,
        "printer_title": profile.title or profile.name,
        "firmware": profile.firmware,
        "family": family or "part",
        "tool": profile.tool,
        "tool_count": len(profile.nozzles),
        "material": filament.material,
        "nozzle_c": filament.nozzle_c,
        "first_layer_nozzle_c": filament.first_layer_nozzle_c,
        "bed_c": filament.bed_c,
        "release_bed_c": filament.release_bed_c,
        "release_heat_c": min(filament.bed_c + _HOTTER_FOR_RELEASE_C, profile.limits.max_bed_c),
        "nozzle_diameter_mm": nozzle.diameter_mm,
        "filament_diameter_mm": filament.diameter_mm,
        "bed_min_x": low_x,
        "bed_max_x": high_x,
        "bed_min_y": low_y,
        "bed_max_y": high_y,
        "bed_center_x": centre_x,
        "bed_center_y": centre_y,
        "machine_height": profile.bed.height_mm,
        "part_min_x": round(part_low[0], 3),
        "part_min_y": round(part_low[1], 3),
        "part_max_x": round(part_high[0], 3),
        "part_max_y": round(part_high[1], 3),
        "part_max_z": round(part_high[2], 3),
        "layer_count": layer_count,
        "layer_height_mm": slicing.layer_height_mm,
        "first_layer_height_mm": slicing.first_layer_height_mm,
        "retract_mm": slicing.retract_mm,
        "retract_f": round(speeds.retract * 60),
        "travel_f": round(speeds.travel * 60),
        "z_f": round(profile.motion.max_speed_mm_s[2] * 60),
        "first_layer_f": round(speeds.first_layer * 60),
        "print_acceleration": round(profile.motion.print_acceleration_mm_s2),
        "travel_acceleration": round(profile.motion.travel_acceleration_mm_s2),
        "retract_acceleration": round(profile.motion.retract_acceleration_mm_s2),
        "fan_off_at_end": profile.fan_off_at_end,
        "park_x": round(centre_x if round_bed else low_x + 5.0, 3),
        "park_y": round((high_y + centre_y) / 2 if round_bed else high_y - 5.0, 3),
        "park_z": round(min(part_high[2] + 10.0, profile.bed.height_mm), 3),
        **_prime(profile, part_mm),
    }


def _prime(profile: PrinterProfile, part_mm: Box) -> dict[str, Any]:
    """A short line beside the part, at whichever edge of the bed is farthest from it; none where there is no room."""
    low_x, high_x, low_y, high_y = bed_box(profile)
    if profile.bed.shape == "circle":  # the largest square in the circle
        inset_x, inset_y = (high_x - low_x) * (1 - 0.7071) / 2, (high_y - low_y) * (1 - 0.7071) / 2
        low_x, high_x, low_y, high_y = low_x + inset_x, high_x - inset_x, low_y + inset_y, high_y - inset_y
    edge = _PRIME_EDGE_MM
    (part_x0, part_y0, _), (part_x1, part_y1, _) = part_mm
    rooms = {
        "front": (part_y0 - (low_y + edge), low_x + edge, low_y + edge, 1, 0),
        "left": (part_x0 - (low_x + edge), low_x + edge, low_y + edge, 0, 1),
        "back": ((high_y - edge) - part_y1, low_x + edge, high_y - edge, 1, 0),
        "right": ((high_x - edge) - part_x1, high_x - edge, low_y + edge, 0, 1),
    }
    side = max(rooms, key=lambda name: rooms[name][0])
    room, x, y, along_x, along_y = rooms[side]
    length = min(_PRIME_LENGTH_MM, (high_x - low_x if along_x else high_y - low_y) - 2 * edge)
    height = profile.slicing.first_layer_height_mm  # the same as the part's, so that no tool counts a layer more
    area = _PRIME_WIDTH_MM * height
    feed = area / (np.pi * profile.filament.diameter_mm**2 / 4) * profile.filament.flow
    return {
        "prime": bool(room >= _PRIME_CLEARANCE_MM and length > 5.0),
        "prime_x": round(x, 3),
        "prime_y": round(y, 3),
        "prime_z": height,
        "prime_end_x": round(x + along_x * length, 3),
        "prime_end_y": round(y + along_y * length, 3),
        "prime_e": round(feed * length, 5),
    }
