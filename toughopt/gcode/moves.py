"""What a program's commands mean: its moves in machine coordinates, and everything that it sets on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import ProgramError
from toughopt.gcode.arcs import with_arcs_split
from toughopt.gcode.events import Setting, held_values, running
from toughopt.gcode.tokens import Commands, code, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_G0, _G1, _G2, _G3 = (code(name) for name in ("G0", "G1", "G2", "G3"))
_G28, _G92 = code("G28"), code("G92")
_G20, _G21, _G90, _G91 = (code(name) for name in ("G20", "G21", "G90", "G91"))
_M82, _M83, _M104, _M109, _M140, _M190 = (code(name) for name in ("M82", "M83", "M104", "M109", "M140", "M190"))
_M200, _M220, _M221, _M106, _M107, _G10 = (code(name) for name in ("M200", "M220", "M221", "M106", "M107", "G10"))
_TOOL = code("T0")
_FIRST_FEED = 1500.0  # mm/min, Marlin's DEFAULT feed rate before the first F
_STILL = 1e-9


@dataclass(frozen=True, slots=True)
class Moves:
    """Every move of a program, and what holds while it is made.

    row : (n,) int, the command's row in `commands`
    line : (n,) int, line of the text, counted from 0
    start_mm, end_mm : (n, 3) float, machine coordinates
    e_mm : (n,) float, filament fed (+) or pulled back (-), mm of feedstock
    feed_mm_s : (n,) float, speed asked for
    tool : (n,) int
    nozzle_c, bed_c : (n,) float, the active nozzle's target and the bed's
    extruded_mm : (n,) float, filament that leaves the nozzle: what goes beyond the furthest that was fed before
    """

    row: NDArray[np.int64]
    line: NDArray[np.int64]
    start_mm: NDArray[np.float64]
    end_mm: NDArray[np.float64]
    e_mm: NDArray[np.float64]
    feed_mm_s: NDArray[np.float64]
    tool: NDArray[np.int64]
    nozzle_c: NDArray[np.float64]
    bed_c: NDArray[np.float64]
    extruded_mm: NDArray[np.float64]
    commands: Commands
    nozzle_targets: Mapping[int, Setting]
    bed_target: Setting
    fan: Setting
    tools: Setting

    @property
    def count(self) -> int:
        """Number of moves."""
        return len(self.row)

    @property
    def lays_down(self) -> NDArray[np.bool_]:
        """(n,) bool: moves that lay filament down along a way."""
        moved = _differ(self.start_mm[:, 0], self.end_mm[:, 0]) | _differ(self.start_mm[:, 1], self.end_mm[:, 1])
        laid: NDArray[np.bool_] = (self.extruded_mm > _STILL) & moved
        return laid


def text_of(source: str | Path) -> str:
    """The text of a program: `source` itself where it has more than one line, else the file of that name.

    Raises
    ------
    ProgramError
        If the file cannot be read, or is a binary one.
    """
    if isinstance(source, str) and ("\n" in source or not source.strip()):
        return source
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProgramError(
            f"cannot read the program {path}: {error.strerror or error}; give the path of a G-code file"
        ) from error
    if data.startswith(b"GCDE"):
        raise ProgramError(
            f"{path} is binary G-code; export it as plain text (in PrusaSlicer: switch binary G-code off)"
        )
    if b"\0" in data[:4096]:
        raise ProgramError(f"{path} is not text (it holds NUL bytes); give a plain G-code file")
    return data.decode("utf-8-sig", "replace")


def parse(source: str | Path) -> Moves:
    """The moves of a G-code text or file, of whatever slicer.

    Understands straight moves and arcs, absolute and relative coordinates and extrusion, inches, G92, homing (to 0),
    tool changes, temperatures, flow and speed factors, and volumetric extrusion. M82 and M83, once given, override
    G90 and G91 for the filament, as in Marlin.

    Raises
    ------
    ProgramError
        If the file cannot be read.
    """
    return moves_of(scan(text_of(source)))


def moves_of(commands: Commands) -> Moves:
    """The moves that the scanned `commands` make."""
    commands = with_arcs_split(commands)
    codes = commands.code
    moving = np.flatnonzero((codes <= _G3) | (codes == _G28) | (codes == _G92))
    kind = codes[moving]
    is_move = kind <= _G3
    absolute_e, absolute, inches = _modes(commands)
    unit = np.where(inches.at(moving) > 0, 25.4, 1.0)
    is_absolute = absolute.at(moving) > 0
    places = [
        _axis(commands.axes[letter][moving] * unit, is_move, is_absolute, kind, _homed(commands, moving, kind, letter))
        for letter in "XYZ"
    ]
    e_word = commands.axes["E"][moving] * unit
    fed = _filament(e_word, is_move, absolute_e.at(moving) > 0, kind)
    fed *= _factor(commands, _M221, "S", 100.0).at(moving) / 100.0
    fed *= _volumetric(commands).at(moving)
    feed = held_values(commands.axes["F"][moving] * np.where(is_move, unit, np.nan), _FIRST_FEED) / 60.0
    feed *= _factor(commands, _M220, "S", 100.0).at(moving) / 100.0

    keep = np.abs(fed) > _STILL
    for before, after in places:
        keep |= _differ(before, after)
    keep &= is_move
    rows = moving[keep]
    tools = _tools(commands)
    tool = tools.at(rows).astype(np.int64)
    targets = _nozzle_targets(commands, tools)
    nozzle = np.zeros(len(rows))
    for number in np.flatnonzero(np.bincount(tool)):
        chosen = tool == number
        nozzle[chosen] = targets[int(number)].at(rows[chosen]) if int(number) in targets else 0.0
    bed = _bed_target(commands)
    fed = fed[keep]
    return Moves(
        row=rows,
        line=commands.line[rows].astype(np.int64),
        start_mm=np.stack([before[keep] for before, _ in places], axis=1),
        end_mm=np.stack([after[keep] for _, after in places], axis=1),
        e_mm=fed,
        feed_mm_s=np.maximum(feed[keep], 1e-3),
        tool=tool,
        nozzle_c=nozzle,
        bed_c=bed.at(rows),
        extruded_mm=_extruded(fed, tool),
        commands=commands,
        nozzle_targets=targets,
        bed_target=bed,
        fan=_fan(commands),
        tools=tools,
    )


def _differ(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    different: NDArray[np.bool_] = np.abs(one - other) > _STILL
    return different


def _axis(
    word: NDArray[np.float64],
    is_move: NDArray[np.bool_],
    is_absolute: NDArray[np.bool_],
    kind: NDArray[np.int32],
    homed: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Machine coordinate before and after each row; G92 shifts the program's coordinates, homing ends the shift."""
    given = ~np.isnan(word)
    sets = np.where(given & ((is_move & is_absolute) | (kind == _G92)), word, np.nan)
    sets[homed] = 0.0
    grows = np.where(given & is_move & ~is_absolute, word, 0.0)
    place = running(grows, sets)
    before = np.concatenate([[0.0], place[:-1]])
    if np.any(given & (kind == _G92)):
        shift = running(np.where(given & (kind == _G92), before - place, 0.0), np.where(homed, 0.0, np.nan))
        place = place + shift
        before = np.concatenate([[0.0], place[:-1]])
    return before, place


def _filament(
    word: NDArray[np.float64], is_move: NDArray[np.bool_], is_absolute: NDArray[np.bool_], kind: NDArray[np.int32]
) -> NDArray[np.float64]:
    given = ~np.isnan(word)
    sets = np.where(given & ((is_move & is_absolute) | (kind == _G92)), word, np.nan)
    relative = np.where(given & is_move & ~is_absolute, word, 0.0)
    place = running(relative, sets)
    before = np.concatenate([[0.0], place[:-1]])
    return np.where(is_move & given, np.where(is_absolute, place - before, relative), 0.0)


def _extruded(fed: NDArray[np.float64], tool: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.zeros(len(fed))
    for number in np.flatnonzero(np.bincount(tool)):
        chosen = tool == number
        total = np.cumsum(fed[chosen])
        furthest = np.maximum.accumulate(np.concatenate([[0.0], total]))
        gained = np.diff(furthest)
        # whatever sums up rounding only is no filament
        out[chosen] = np.where(gained > 1e-7, np.minimum(gained, np.maximum(fed[chosen], 0.0)), 0.0)
    return out


def _rows(commands: Commands, *codes: int) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(commands.code, codes))


def _modes(commands: Commands) -> tuple[Setting, Setting, Setting]:
    filament: list[tuple[int, float]] = []
    space: list[tuple[int, float]] = []
    explicit = False
    inches = [(int(row), float(commands.code[row] == _G20)) for row in _rows(commands, _G20, _G21)]
    for row in _rows(commands, _G90, _G91, _M82, _M83).tolist():
        kind = commands.code[row]
        if kind in (_M82, _M83):
            explicit = True
            filament.append((row, float(kind == _M82)))
            continue
        space.append((row, float(kind == _G90)))
        if not explicit:
            filament.append((row, float(kind == _G90)))
    return Setting.of(filament, 1.0), Setting.of(space, 1.0), Setting.of(inches, 0.0)


def _homed(commands: Commands, moving: NDArray[np.int64], kind: NDArray[np.int32], axis: str) -> NDArray[np.bool_]:
    homed = np.zeros(len(moving), dtype=bool)
    for index in np.flatnonzero(kind == _G28).tolist():
        named = set(commands.words.get(int(moving[index]), {})) & set("XYZ")
        homed[index] = not named or axis in named
    return homed


def _factor(commands: Commands, which: int, letter: str, initial: float) -> Setting:
    changes = [(int(row), commands.words[int(row)].get(letter, np.nan)) for row in _rows(commands, which)]
    return Setting.of([(row, value) for row, value in changes if value == value], initial)


def _volumetric(commands: Commands) -> Setting:
    """Length of feedstock per unit of E: 1, or 1 / area while M200 D says that E is mm3."""
    diameters = _factor(commands, _M200, "D", 0.0)
    area = np.pi * diameters.values**2 / 4.0
    return Setting(diameters.rows, np.where(area > 0, 1.0 / np.where(area > 0, area, 1.0), 1.0))


def _tools(commands: Commands) -> Setting:
    rows = np.flatnonzero(commands.code >= _TOOL)
    return Setting.of([(int(row), float((commands.code[row] - _TOOL) // 10)) for row in rows], 0.0)


def _nozzle_targets(commands: Commands, tools: Setting) -> dict[int, Setting]:
    changes: dict[int, list[tuple[int, float]]] = {}
    rows = _rows(commands, _M104, _M109, _G10)
    active = tools.at(rows)
    for row, now in zip(rows.tolist(), active.tolist(), strict=True):
        words = commands.words[row]
        is_tool_setting = commands.code[row] == _G10
        if is_tool_setting and "P" not in words:  # firmware retraction
            continue
        value = words.get("S", words.get("R", np.nan))
        tool = words.get("P" if is_tool_setting else "T", np.nan)
        if value == value:
            changes.setdefault(int(tool if tool == tool else now), []).append((row, value))
    return {tool: Setting.of(values, 0.0) for tool, values in changes.items()}


def _bed_target(commands: Commands) -> Setting:
    changes = []
    for row in _rows(commands, _M140, _M190).tolist():
        words = commands.words[row]
        value = words.get("S", words.get("R", np.nan))
        if value == value:
            changes.append((row, value))
    return Setting.of(changes, 0.0)


def _fan(commands: Commands) -> Setting:
    changes = []
    for row in _rows(commands, _M106, _M107).tolist():
        words = commands.words[row]
        if words.get("P", 0.0) not in (0.0, 1.0):
            continue
        speed = words.get("S", 255.0) if commands.code[row] == _M106 else 0.0
        changes.append((row, min(speed / 255.0 if speed > 1.0 else speed, 1.0)))
    return Setting.of(changes, 0.0)
