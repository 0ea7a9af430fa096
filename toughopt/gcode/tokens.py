"""G-code text to columns of numbers: a tokenizer that works on whole blocks of bytes at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = "XYZEF"
_BLOCK = 1 << 21  # bytes: small enough for its temporaries to stay in the cache
_WINDOW = 10  # characters of a number that are read column by column; longer ones take the slow way
_DIGITS_KEPT = 17
_POWERS = 10.0 ** np.arange(_DIGITS_KEPT + 1)
_MARK = re.compile(rb";[ \t]*(LAYER_CHANGE|LAYER|TYPE|Z)\b[ \t:]*([^\n]*)")
_MARK_FIRST = np.zeros(256, dtype=bool)
_MARK_FIRST[np.frombuffer(b"LTZ \t", dtype=np.uint8)] = True
_LETTER = np.zeros(256, dtype=bool)
_LETTER[np.arange(ord("A"), ord("Z") + 1)] = True
_COMMAND = np.zeros(256, dtype=bool)
_COMMAND[np.frombuffer(b"GMT", dtype=np.uint8)] = True
_LONGEST_GAP = 8  # blanks between a letter and its number
_PARENTHESES = re.compile(rb"\([^)\n]*\)?")


def code(name: str) -> int:
    """The number under which a command such as "G1" or "G92.1" is filed."""
    return _code(name[0], float(name[1:]))


def _code(letter: str, number: float) -> int:
    return "GMT".index(letter) * 1_000_000 + round(number * 10)


_QUICK = frozenset(code(name) for name in ("G0", "G1", "M73", "M105", "M117", "M118", "M486"))
_T = code("T0")


@dataclass(frozen=True, slots=True)
class Commands:
    """Every command of a text, one row each.

    line : (n,) int32, line in the text, counted from 0
    code : (n,) int32, see `code`
    axes : X, Y, Z, E, F -> (n,) float, NaN where the word is absent
    words : row -> letter -> value, for every row that is neither a straight move nor a message; a word without a
        number is NaN there
    foreign : (line, text) of lines that are no G, M or T command
    marks : (line, key, value) of the comments that tell layers and kinds of line: LAYER_CHANGE, LAYER, Z, TYPE
    broken : (line, text) of straight moves that hold a word without a number
    sent_length : (n,) int32, characters of the command as it goes to the machine
    lost_arcs : (line, what is wrong) of arcs that no circle fits; known once arcs are split
    """

    line: NDArray[np.int32]
    code: NDArray[np.int32]
    axes: Mapping[str, NDArray[np.float64]]
    words: Mapping[int, Mapping[str, float]]
    foreign: tuple[tuple[int, str], ...]
    marks: tuple[tuple[int, str, str], ...]
    broken: tuple[tuple[int, str], ...]
    sent_length: NDArray[np.int32]
    line_count: int
    lost_arcs: tuple[tuple[int, str], ...] = ()


def scan(text: str) -> Commands:
    """Split `text` into commands; what cannot be read is listed, never dropped in silence."""
    data = text.encode("utf-8", "replace")
    if not data.endswith(b"\n"):
        data += b"\n"
    parts: list[Commands] = []
    first_line = first_row = 0
    for start, stop in _blocks(data):
        part = _scan_block(data[start:stop], first_line, first_row)
        parts.append(part)
        first_line += part.line_count
        first_row += len(part.line)
    return _joined(parts)


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        stop = data.find(b"\n", min(start + _BLOCK, len(data) - 1)) + 1
        yield start, stop
        start = stop


def _joined(parts: list[Commands]) -> Commands:
    return Commands(
        np.concatenate([part.line for part in parts]),
        np.concatenate([part.code for part in parts]),
        {axis: np.concatenate([part.axes[axis] for part in parts]) for axis in AXES},
        {row: words for part in parts for row, words in part.words.items()},
        tuple(item for part in parts for item in part.foreign),
        tuple(item for part in parts for item in part.marks),
        tuple(item for part in parts for item in part.broken),
        np.concatenate([part.sent_length for part in parts]),
        sum(part.line_count for part in parts),
    )


def _scan_block(original: bytes, first_line: int, first_row: int) -> Commands:
    upper = original.upper()
    if b"(" in upper:
        upper = _PARENTHESES.sub(lambda found: b" " * len(found.group()), upper)
    raw = np.frombuffer(upper, dtype=np.uint8)
    stops = np.flatnonzero(raw == 10)
    starts = np.concatenate([[0], stops[:-1] + 1])
    ends = _ends_of_commands(raw, starts, stops)
    marks = _marks(original, raw, starts, first_line)

    token = np.flatnonzero(_LETTER[raw])
    counts = np.diff(np.append(np.searchsorted(token, starts), len(token)))
    owner = np.repeat(np.arange(len(starts)), counts)
    inside = token < ends[owner]
    token, owner = token[inside], owner[inside]
    value, has_number = _numbers(raw, token + 1)

    numbered = np.ones(len(token), dtype=bool)
    numbered[1:] = owner[1:] != owner[:-1]  # first word of its line
    is_n = numbered & (raw[token] == ord("N")) & has_number
    if is_n.any():  # a line number is no command: the word after it is
        keep = ~is_n
        token, owner, value, has_number = token[keep], owner[keep], value[keep], has_number[keep]
        numbered = np.ones(len(token), dtype=bool)
        numbered[1:] = owner[1:] != owner[:-1]
    is_command = numbered & _COMMAND[raw[token]] & has_number
    head = np.flatnonzero(is_command)
    row_of_line = np.full(len(starts), -1, dtype=np.int64)
    row_of_line[owner[head]] = np.arange(len(head))
    letter = raw[token[head]]
    kind = np.where(letter == ord("G"), 0, np.where(letter == ord("M"), 1, 2))
    number = np.minimum(value[head], 99_999.0)
    codes = (kind * 1_000_000 + np.rint(number * 10)).astype(np.int32)

    tail = ~is_command & (row_of_line[owner] >= 0)
    t_token, t_row, t_value, t_number = token[tail], row_of_line[owner[tail]], value[tail], has_number[tail]
    t_letter = raw[t_token]
    axes = {}
    for axis in AXES:
        column = np.full(len(head), np.nan)
        chosen = (t_letter == ord(axis)) & t_number
        column[t_row[chosen]] = t_value[chosen]
        axes[axis] = column

    straight = codes <= 10
    lines = owner[head]
    gaps = np.flatnonzero(np.bincount(t_row[~t_number & straight[t_row]]))
    broken = tuple((first_line + int(lines[row]), _line(original, starts, stops, int(lines[row]))) for row in gaps)
    words = _words(codes, t_row, t_letter, t_value, t_number, first_row)
    sent = _sent_lengths(raw, starts, ends)
    foreign_lines = np.flatnonzero((row_of_line < 0) & (sent > 0))
    foreign = tuple((first_line + int(line), _line(original, starts, ends, int(line))) for line in foreign_lines)
    return Commands(
        (lines + first_line).astype(np.int32), codes, axes, words, foreign, marks, broken, sent[lines], len(starts)
    )


def _ends_of_commands(raw: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the command part of each line ends: at its first `;` or `*`, else at its end."""
    ends = stops.copy()
    comment = np.flatnonzero((raw == ord(";")) | (raw == ord("*")))[::-1]
    if len(comment):
        ends[np.searchsorted(starts, comment, "right") - 1] = comment  # the first of a line is written last
    return ends


def _sent_lengths(raw: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int32]:
    """Characters of each line's command, without the blanks around it."""
    begin, stop = starts.copy(), ends.copy()
    left = np.flatnonzero(begin < stop)
    while len(left):
        left = left[raw[stop[left] - 1] <= 32]
        stop[left] -= 1
        left = left[begin[left] < stop[left]]
    left = np.flatnonzero(begin < stop)
    while len(left):
        left = left[raw[begin[left]] <= 32]
        begin[left] += 1
    return (stop - begin).astype(np.int32)


def _numbers(raw: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The decimal number that begins at each position, and whether there is one; exact as `float` for 15 digits."""
    count = len(at)
    last = len(raw) - 1  # a newline: ends every number
    at = np.minimum(at, last)
    for _ in range(_LONGEST_GAP):  # "X 10"
        blank = np.flatnonzero((raw[at] == 32) | (raw[at] == 9))
        if not len(blank):
            break
        at[blank] += 1
    sign = raw[at]
    at = at + ((sign == ord("-")) | (sign == ord("+")))
    mantissa = np.zeros(count, dtype=np.int64)
    decimals = np.zeros(count, dtype=np.int8)
    digits = np.zeros(count, dtype=np.int8)
    point = np.zeros(count, dtype=bool)
    alive = np.ones(count, dtype=bool)
    for offset in range(_WINDOW):
        char = raw[np.minimum(at + offset, last)]
        digit = char - np.uint8(48)
        is_digit = alive & (digit < 10)
        is_point = alive & (char == ord(".")) & ~point
        alive = is_digit | is_point
        if not alive.any():
            break
        np.copyto(mantissa, mantissa * 10 + digit, where=is_digit)
        digits += is_digit
        decimals += is_digit & point
        point |= is_point
    for index in np.flatnonzero(alive):
        mantissa[index], decimals[index], digits[index] = _long_number(raw, int(at[index]))
    value = mantissa / _POWERS[decimals]
    np.negative(value, out=value, where=sign == ord("-"))
    return value, digits > 0


def _long_number(raw: NDArray[np.uint8], at: int) -> tuple[int, int, int]:
    found = re.match(rb"(\d*)\.?(\d*)", raw[at : at + 64].tobytes())
    whole, fraction = (found.group(1), found.group(2)) if found else (b"", b"")
    whole = whole[:_DIGITS_KEPT]
    fraction = fraction[: _DIGITS_KEPT - len(whole)]
    digits = whole + fraction
    return int(digits or b"0"), len(fraction), len(digits)


def _words(
    codes: NDArray[np.int32],
    row: NDArray[np.int64],
    letter: NDArray[np.uint8],
    value: NDArray[np.float64],
    has_number: NDArray[np.bool_],
    first_row: int,
) -> dict[int, dict[str, float]]:
    rare = ~np.isin(codes, list(_QUICK))
    words: dict[int, dict[str, float]] = {first_row + int(index): {} for index in np.flatnonzero(rare)}
    chosen = rare[row]
    values = np.where(has_number[chosen], value[chosen], np.nan)
    for index, char, number in zip(row[chosen].tolist(), letter[chosen].tolist(), values.tolist(), strict=True):
        words[first_row + index][chr(char)] = number
    return words


def _marks(
    original: bytes, raw: NDArray[np.uint8], starts: NDArray[np.int64], first_line: int
) -> tuple[tuple[int, str, str], ...]:
    candidates = np.flatnonzero((raw[starts] == ord(";")) & _MARK_FIRST[raw[np.minimum(starts + 1, len(raw) - 1)]])
    marks = []
    for line, at in zip((candidates + first_line).tolist(), starts[candidates].tolist(), strict=True):
        found = _MARK.match(original, at)
        if found:
            marks.append((line, found.group(1).decode(), found.group(2).decode("utf-8", "replace").strip()))
    return tuple(marks)


def _line(data: bytes, starts: NDArray[np.int64], stops: NDArray[np.int64], line: int) -> str:
    return data[int(starts[line]) : int(stops[line])].decode("utf-8", "replace").strip()
