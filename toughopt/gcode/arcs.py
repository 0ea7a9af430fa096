"""Arcs (G2, G3) become the straight moves that a firmware makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.tokens import AXES, Commands, code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_G2, _G3, _G1, _G90, _G91 = (code(name) for name in ("G2", "G3", "G1", "G90", "G91"))
_G92, _G28, _M82, _M83, _G20, _G21 = (code(name) for name in ("G92", "G28", "M82", "M83", "G20", "G21"))
_CHORD_MM = 1.0  # Marlin's DEFAULT_MM_PER_ARC_SEGMENT
_SAGITTA_MM = 0.005
_OFF_CIRCLE = 0.5  # an arc's end may be as far from its circle, in the program's unit; Grbl's limit in mm


def with_arcs_split(commands: Commands) -> Commands:
    """`commands` with each arc in the XY plane replaced by chords; returned as it is where there are no arcs.

    Chords are at most 1 mm long and leave the arc by at most 0.005 mm. Arcs need absolute coordinates to be
    followed here; a relative one counts from where the program stands. One that no circle fits becomes a straight move
    and is listed.
    """
    arcs = np.flatnonzero((commands.code == _G2) | (commands.code == _G3))
    if not len(arcs):
        return commands
    copies = np.ones(len(commands.code), dtype=np.int64)
    pieces: dict[int, dict[str, NDArray[np.float64]]] = {}
    lost: list[tuple[int, str]] = []
    walk = _Walk()
    relevant = np.isin(commands.code, [0, _G1, _G2, _G3, _G90, _G91, _G92, _G28, _M82, _M83])
    columns = {axis: commands.axes[axis].tolist() for axis in AXES}
    for row in np.flatnonzero(relevant).tolist():
        kind = int(commands.code[row])
        words = {axis: columns[axis][row] for axis in "XYZE" if columns[axis][row] == columns[axis][row]}
        if kind in (_G2, _G3):
            piece, wrong = walk.arc(words, commands.words.get(row, {}), kind == _G2)
            lost += [(int(commands.line[row]), wrong)] if wrong else []
            pieces[row], copies[row] = piece, len(piece["X"])
        else:
            walk.step(kind, words, commands.words.get(row, {}))
    old_row = np.repeat(np.arange(len(copies)), copies)
    new_row = np.cumsum(copies) - copies
    axes = {axis: commands.axes[axis][old_row] for axis in AXES}
    for row, piece in pieces.items():
        for axis, values in piece.items():
            axes[axis][new_row[row] : new_row[row] + len(values)] = values
    return replace(
        commands,
        line=commands.line[old_row],
        code=np.where(np.isin(commands.code, [_G2, _G3]), _G1, commands.code)[old_row].astype(np.int32),
        axes=axes,
        words={int(new_row[row]): words for row, words in commands.words.items() if row not in pieces},
        sent_length=commands.sent_length[old_row],
        lost_arcs=tuple(lost),
    )


class _Walk:
    """Where the program stands, in its own coordinates; changes with every command."""

    def __init__(self) -> None:
        self.at = {"X": 0.0, "Y": 0.0, "Z": 0.0, "E": 0.0}
        self.absolute = True
        self.absolute_e: bool | None = None

    def step(self, kind: int, words: dict[str, float], other: object) -> None:
        if kind in (_G90, _G91):
            self.absolute = kind == _G90
        elif kind in (_M82, _M83):
            self.absolute_e = kind == _M82
        elif kind == _G92:
            self.at |= words
        elif kind == _G28:
            named = [axis for axis in "XYZ" if isinstance(other, dict) and axis in other] or list("XYZ")
            self.at |= dict.fromkeys(named, 0.0)
        else:
            self.at |= self._target(words)

    def _target(self, words: dict[str, float]) -> dict[str, float]:
        target = {}
        for axis, value in words.items():
            absolute = self._e_is_absolute() if axis == "E" else self.absolute
            target[axis] = value if absolute else self.at[axis] + value
        return target

    def _e_is_absolute(self) -> bool:
        return self.absolute if self.absolute_e is None else self.absolute_e

    def arc(
        self, words: dict[str, float], given: Mapping[str, float], clockwise: bool
    ) -> tuple[dict[str, NDArray[np.float64]], str]:
        """Words of the chords, in the modes of the moment, and what is wrong with the arc, if anything."""
        before = dict(self.at)
        after = before | self._target(words)
        start = complex(before["X"], before["Y"])
        stop = complex(after["X"], after["Y"])
        wrong = _wrong(start, stop, given)
        centre = (start + stop) / 2.0 if wrong else _centre(start, stop, given, clockwise)
        radius = abs(start - centre)
        sweep = np.angle((stop - centre) / (start - centre)) if radius > 0 else 0.0
        if clockwise and sweep >= -1e-9:
            sweep -= 2 * np.pi
        elif not clockwise and sweep <= 1e-9:
            sweep += 2 * np.pi
        longest = min(_CHORD_MM, 2 * np.sqrt(max(2 * radius * _SAGITTA_MM, 1e-12)))
        count = max(1, int(np.ceil(abs(sweep) * radius / longest)))
        share = np.arange(1, count + 1) / count
        points = centre + (start - centre) * np.exp(1j * sweep * share)
        points[-1] = stop
        if wrong:
            points = start + (stop - start) * share
        track = {"X": points.real, "Y": points.imag}
        track |= {axis: before[axis] + (after[axis] - before[axis]) * share for axis in "ZE" if axis in words}
        self.at = after
        for axis, values in track.items():
            absolute = self._e_is_absolute() if axis == "E" else self.absolute
            track[axis] = values if absolute else np.diff(values, prepend=before[axis])
        return track, wrong


def _wrong(start: complex, stop: complex, words: Mapping[str, float]) -> str:
    """Why no circle goes from `start` to `stop`; empty where one does."""
    told = {letter: words[letter] for letter in "IJR" if letter in words}
    if not any(told.values()):
        return "has no centre (I, J) and no radius (R)"
    if any(value != value for value in told.values()):
        return "has a centre or radius that is no number"
    if "R" in told:
        half, radius = abs(stop - start) / 2.0, abs(told["R"])
        if half == 0.0:
            return "has a radius (R), but ends where it began; a full circle needs its centre (I, J)"
        return (
            f"has a radius of {radius:g}, but its ends are {2.0 * half:g} apart" if half > radius + _OFF_CIRCLE else ""
        )
    centre = start + complex(told.get("I", 0.0), told.get("J", 0.0))
    off = abs(abs(stop - centre) - abs(start - centre))
    return f"ends {off:.2f} beside its circle" if off > _OFF_CIRCLE else ""


def _centre(start: complex, stop: complex, words: Mapping[str, float], clockwise: bool) -> complex:
    if "R" in words:
        radius = words["R"]
        chord = stop - start
        half = abs(chord) / 2
        height = np.sqrt(max(radius * radius - half * half, 0.0))
        side = 1 if clockwise != (radius < 0) else -1  # a negative radius asks for the longer way
        return complex((start + stop) / 2 - 1j * side * height * chord / abs(chord))
    offset = complex(words.get("I", 0.0), words.get("J", 0.0))
    return start + offset
