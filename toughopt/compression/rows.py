"""Rows of numbers, quickly: the clean stretches of a file as whole arrays, the rest line by line."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.dialect import split_row, without_trailing_blanks
from toughopt.compression.numbers import NumberReader, is_missing, looks_numeric

_CHUNK = 1 << 22  # characters taken at once: bounds the memory
_SMALL = 1 << 16  # below this Python's own float() is quicker than a library
_LOOK_AHEAD = 4  # damaged lines in a row that do not end a table
_EXPONENTS = re.compile(rb"(?:-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?\n)*+")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(slots=True)
class Block:
    """Consecutive rows of a table."""

    columns: int
    words: frozenset[int] = frozenset()  # columns that hold a word
    parts: list[NDArray[np.float64]] = field(default_factory=list)  # each (rows, columns)
    end: int = 0  # where in the text it stops
    skipped: int = 0  # lines inside that are no rows
    damaged: int = 0  # rows with a field that is no number
    ragged: int = 0  # rows with too few or too many numbers
    cut: bool = False  # the text ends in the middle of the last row
    first_bad_line: str = ""
    labels: dict[int, list[str]] = field(default_factory=dict)  # what the columns of words say, row by row

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(part.shape[0] for part in self.parts)


def read_block(
    text: str, start: int, separator: str, columns: int, number: NumberReader, words: frozenset[int] = frozenset()
) -> Block:
    """The rows of `columns` fields from `start` on, up to a line that begins something else.

    words : indices of columns that hold a word instead of a number; their values are NaN
    """
    block = Block(columns, words, end=start)
    position = start
    while position < len(text):
        stop = _chunk_end(text, position, _CHUNK)
        clean = _fast(text[position:stop], separator, columns, number.decimal)
        if clean is None and stop - position > _SMALL:
            stop = _chunk_end(text, position, _SMALL)
            clean = _fast(text[position:stop], separator, columns, number.decimal)
        if clean is not None:
            block.parts.append(clean)
            block.end = position = stop
            continue
        position, ended = _slow(text, position, stop, separator, number, block)
        if ended:
            break
    return block


def _chunk_end(text: str, start: int, size: int) -> int:
    if start + size >= len(text):
        return len(text)
    cut = text.rfind("\n", start, start + size)
    if cut < 0:
        cut = text.find("\n", start + size)
    return len(text) if cut < 0 else cut + 1


def _fast(chunk: str, separator: str, columns: int, decimal: str) -> NDArray[np.float64] | None:
    """(rows, columns) of a chunk in which every row is as it should be, otherwise None."""
    if not chunk.isascii() or not chunk.endswith("\n"):
        return None
    raw, mark = chunk.encode("ascii"), separator.encode()
    if separator == " ":  # runs of blanks, at the ends of lines too
        if b"\t" in raw or b'"' in raw:
            return None
        raw, mark = re.sub(rb" *\n *", b"\n", re.sub(rb" {2,}", b" ", raw.lstrip(b" "))).replace(b" ", b"\t"), b"\t"
    if b'"' in raw:
        if b"\t" in raw and mark != b"\t":
            return None
        raw = raw.replace(b'"' + mark + b'"', b"\t").replace(b'"', b"")
        if mark != b"," or decimal == ".":
            raw = raw.replace(mark, b"\t")
        mark = b"\t"
    if b" " in raw:
        if re.search(rb"[0-9.] +[0-9.+-]", raw):
            return None
        raw = raw.replace(b" ", b"")
    while raw.endswith(mark + b"\n"):  # empty last columns
        raw = raw.replace(mark + b"\n", b"\n")
    point = decimal.encode()
    fields = 0 if mark == point else _regular(raw, columns, mark, point)
    if not fields:
        return None
    flat = raw.replace(mark, b"\n") if point == b"." else raw.translate(bytes.maketrans(mark + point, b"\n."))
    values = _parse(flat, fields)
    return values.reshape(-1, columns) if values.size else None


def _regular(raw: bytes, columns: int, mark: bytes, point: bytes) -> int:
    """Number of fields where each row has `columns` of them and signs, points, exponents are where they may be, or 0.

    Whether each field is a number is left to the parser: it finds fewer numbers than fields otherwise.
    """
    bones = raw.translate(None, b"0123456789")  # marks and breaks only: a fraction of the file
    exponents = b"e" in bones or b"E" in bones
    if b"+" in bones and not exponents:
        return 0
    if b"-" in bones and not exponents:
        letters = np.frombuffer(raw, dtype=np.uint8)
        signs = np.flatnonzero(letters == ord("-"))
        before = letters[signs[signs > 0] - 1]
        if not ((before == ord(mark)) | (before == ord("\n"))).all():
            return 0
        bones = bones.translate(None, b"-")
    if exponents:
        if not _EXPONENTS.fullmatch(raw.translate(bytes.maketrans(mark + point, b"\n."))):
            return 0
        bones = bones.translate(None, b"+-eE")
    rows = bones.count(b"\n")
    regular = point * 2 not in bones and bones.translate(None, point) == (mark * (columns - 1) + b"\n") * rows
    return rows * columns if regular else 0


def _parse(flat: bytes, fields: int) -> NDArray[np.float64]:
    """(fields,) float of one number a line; empty where they are not as many numbers."""
    nothing = np.empty(0)
    try:
        if len(flat) <= _SMALL:
            values = np.array([float(field) for field in flat.split()], dtype=np.float64)
        else:
            from scipy.io import mmread

            # The body of a Matrix Market array is one number a line too, and scipy has a quick reader for that.
            head = b"%%%%MatrixMarket matrix array real general\n%d 1\n" % fields
            values = np.asarray(mmread(io.BytesIO(head + flat)), dtype=np.float64).ravel()
    except (ValueError, OverflowError):
        return nothing
    return values if values.size == fields and bool(np.isfinite(values).all()) else nothing


def _slow(text: str, start: int, stop: int, separator: str, number: NumberReader, block: Block) -> tuple[int, bool]:
    """Reads lines from `start` to `stop` into the block; where it got to, and whether the table ended there."""
    rows: list[list[float]] = []
    position, pending = start, 0
    ended = False
    while position < stop:
        newline = text.find("\n", position)
        line_end = len(text) if newline < 0 else newline
        following = min(line_end + 1, len(text))
        line = text[position:line_end]
        before = rows[-1] if rows else block.parts[-1][-1] if block.parts else None
        row = _row(line, separator, block, number, newline < 0, before)
        if row is not None:
            rows.append(row)
            _note_words(line, separator, block)
            block.skipped += pending
            pending = 0
            block.end = following
        elif line.strip():
            pending += 1
            block.first_bad_line = block.first_bad_line or line.strip()[:60]
            if pending > _LOOK_AHEAD or _begins_table(line, separator) or not _more(text, following, separator, block):
                if _numeric(line):  # no footer: a row that cannot be told apart into fields
                    block.damaged += 1
                ended = True
                break
        elif not _more(text, following, separator, block):
            ended = True
            break
        position = following
    if rows:
        block.parts.append(np.array(rows, dtype=np.float64))
    return position, ended


def _row(
    line: str, separator: str, block: Block, number: NumberReader, last: bool, before: Sequence[float] | None
) -> list[float] | None:
    """The numbers of a line, None where it is no row; what is wrong with it is noted in the block."""
    fields = split_row(line, separator)
    said = without_trailing_blanks(fields)
    numbers = sum(looks_numeric(field) for field in said)
    if not numbers or _speaks(said, block):
        return None
    if len(said) > block.columns:
        block.ragged += 1
        block.first_bad_line = block.first_bad_line or line.strip()[:60]
        return [np.nan] * block.columns
    values = [math.nan if at in block.words else number(field) for at, field in enumerate(said)]
    if any(v != v and not is_missing(said[at]) and at not in block.words for at, v in enumerate(values)):
        block.damaged += 1
        block.first_bad_line = block.first_bad_line or line.strip()[:60]
    if last and len(said) < block.columns and before is not None and np.isfinite(before[len(said) :]).any():
        block.cut = True
    elif len(fields) < block.columns:
        block.ragged += 1
        block.first_bad_line = block.first_bad_line or line.strip()[:60]
    if len(fields) < block.columns:
        return [np.nan] * block.columns
    return values + [np.nan] * (block.columns - len(values))


def _note_words(line: str, separator: str, block: Block) -> None:
    fields = split_row(line, separator) if block.words else []
    for at in block.words:
        block.labels.setdefault(at, []).append(fields[at] if at < len(fields) else "")


def _speaks(fields: list[str], block: Block) -> bool:
    """Whether there are words where the table has numbers."""
    return any(
        _WORD.search(field) and not is_missing(field) and at not in block.words for at, field in enumerate(fields)
    )


def _numeric(line: str) -> bool:
    """Whether a line holds at least two numbers and no words."""
    return len(_DIGITS.findall(line)) >= 2 and not _WORD.search(line)


def _begins_table(line: str, separator: str) -> bool:
    """Whether a line looks like a row of column names: at least two fields with words, before them a number at most.

    That number is the specimen's, where an export begins each one with the names again.
    """
    said = [field for field in split_row(line, separator) if field]
    if len(said) > 2 and said[0].isdecimal():
        del said[0]
    return len(said) >= 2 and all(_WORD.search(field) and not is_missing(field) for field in said)


def _more(text: str, position: int, separator: str, block: Block) -> bool:
    """Whether a further row of this table stands within the next lines, with no new table in between."""
    for _ in range(_LOOK_AHEAD):
        if position >= len(text):
            return False
        newline = text.find("\n", position)
        line = text[position : len(text) if newline < 0 else newline]
        if _begins_table(line, separator):
            return False
        fields = split_row(line, separator)
        said = without_trailing_blanks(fields)
        if len(said) <= block.columns <= len(fields) and sum(looks_numeric(field) for field in said) >= 2:
            return not _speaks(said, block)
        position = len(text) if newline < 0 else newline + 1
    return False
