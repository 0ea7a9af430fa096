"""Whether a printer can lay the designed wall of a spiral, and which one can where it cannot."""

from __future__ import annotations

import json
import re
import zipfile
from html import unescape
from typing import TYPE_CHECKING

from toughopt.errors import ToughoptError

if TYPE_CHECKING:
    from pathlib import Path

    from toughopt.families import SpiralWall
    from toughopt.profiles import PrinterProfile

_METADATA = re.compile(r'<metadata name="toughopt:(\w+)">([^<]*)</metadata>')
_SAME = 0.05  # of its thickness: a wall that comes out as near to it is the one that was designed
_HEAD_BYTES = 65_536  # of a model: its metadata stand before its mesh


def wall_warnings(wall: SpiralWall, profile: PrinterProfile) -> tuple[str, ...]:
    """A warning where `profile` prints no spiral, or its nozzle cannot lay a line as wide as the wall is."""
    from toughopt.slicing import wall_range_mm

    if profile.slicing.mode != "vase":
        fitting = _fitting_profile(wall)
        other = f", such as {fitting.name}" if fitting and fitting.slicing.mode == "vase" else ""
        return (
            f"the mesh is the envelope of a wall {wall.thickness_mm:.3g} mm thick that is meant to be printed as one "
            f'spiral line, but {profile.name} prints it filled; choose a profile with slicing.mode = "vase"{other}',
        )
    if _is_laid(wall, profile):
        return ()
    thinnest_mm, thickest_mm = wall_range_mm(profile)
    laid_mm = min(max(wall.thickness_mm, thinnest_mm), thickest_mm)
    nozzle = f"{profile.nozzle.diameter_mm:g} mm nozzle"
    fitting = _fitting_profile(wall)
    other = f"with a printer profile that fits, such as {fitting.name} ({_walls(fitting)}), or " if fitting else ""
    return (
        f"the wall is {wall.thickness_mm:.3g} mm thick as designed, but the {nozzle} of "
        f"{profile.name} lays walls of {_walls(profile)}: it comes out {laid_mm:.2f} mm thick, and its mass "
        f"differs as much; print it {other}with a thickness of {_walls(profile)}",
    )


def wall_of(mesh: Path) -> SpiralWall | None:
    """The wall of which a 3MF that toughopt wrote is the envelope; None for other files, which do not tell."""
    from toughopt.families import family, spiral_wall

    if mesh.suffix.lower() != ".3mf":
        return None
    try:
        with zipfile.ZipFile(mesh) as archive, archive.open("3D/3dmodel.model") as model:
            head = model.read(_HEAD_BYTES).decode("utf-8", "replace")
        told = {name: unescape(value) for name, value in _METADATA.findall(head)}
        made = family(told["family"], **json.loads(told["fixed"]))
        return spiral_wall(made, made.complete(json.loads(told["design"])))
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, ToughoptError):  # not ours, or of another version
        return None


def _is_laid(wall: SpiralWall, profile: PrinterProfile) -> bool:
    from toughopt.slicing import wall_range_mm

    thinnest_mm, thickest_mm = wall_range_mm(profile)
    return thinnest_mm / (1.0 + _SAME) <= wall.thickness_mm <= thickest_mm * (1.0 + _SAME)


def _walls(profile: PrinterProfile) -> str:
    from toughopt.slicing import wall_range_mm

    return "{:.2f} to {:.2f} mm".format(*wall_range_mm(profile))


def _fitting_profile(wall: SpiralWall) -> PrinterProfile | None:
    """A profile whose nozzle can lay the wall; one that is made for spirals before the others."""
    from toughopt.profiles import available_profiles, load_profile

    fitting = [profile for profile in map(load_profile, sorted(available_profiles())) if _is_laid(wall, profile)]
    return next((profile for profile in fitting if profile.slicing.mode == "vase"), next(iter(fitting), None))
