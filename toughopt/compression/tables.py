"""Tables in a text file: column names, units and rows of numbers, wherever they begin and however many there are."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import AS_FOUND, Effect, Finding, ReadOptions, Severity
from toughopt.compression.dialect import find_separator, is_data, is_gap, is_word, split_row, without_trailing_blanks
from toughopt.compression.numbers import Evidence, NumberReader, are_thousands, decide, is_missing, looks_numeric, weigh
from toughopt.compression.pairs import with_names_above
from toughopt.compression.remarks import with_single_words
from toughopt.compression.rows import Block, read_block
from toughopt.compression.suffixes import with_units_above
from toughopt.compression.units import parse_unit
from toughopt.errors import CurveError

_INLINE = re.compile(r"^(?P<name>.*?)\s*[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]\s*$")
_SLASHED = re.compile(r"^(?P<name>.*\S)\s*(?:/|,|\s+in\s+)\s*(?P<unit>[^\s/,]+)$")
_SUFFIX = re.compile(r"^(?P<name>.*[^\W_])_(?P<unit>[A-Za-zµ]+)$")
_SPACED = re.compile(r"^(?P<name>.*[^\s\d])\s+(?P<unit>N|kN|mm|s|sec|lbf|in)$")  # not "cell 5 kN", which is a range
_WITHIN = re.compile(  # "kN Force", "Load kgf [comp]"
    r"(?<![^\W_])(?<!\d )(?:kn|dan|lbf|lbs|kgf|kg|kips?|mm|cm|[uµμ]m|inch|inches)(?![^\W_])", re.IGNORECASE
)
_UNIT_BEHIND = re.compile(r"[^()\[\]]+[(\[][^()\[\]]*[)\]]")
_PRODUCT = re.compile(r"[*×·^]|\bx ?1\d")
_RULE = re.compile(r"^(?=.*[-=_]{2})[-=_.\s]+$")
_REMARK = re.compile(r"^\s*(?:#+|%+|//+)\s*(?=\S)")
_SCALED = re.compile(
    r"\d|\b(?:thousand|hundred|tenth|ten\b|kilo|mega|deci|centi|milli|micro|tausend|hundert|zehn)", re.IGNORECASE
)
_WIDE = re.compile(r"[\uff01-\uff9f]+")  # letters as wide as Chinese ones, and syllables half as wide
_EVIDENCE_FIELDS = 1200
_MOST_TABLES = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A block of numbers under its column names."""

    names: tuple[str, ...]
    units: tuple[str, ...]  # "" where the file gives none
    parts: tuple[NDArray[np.float64], ...]  # each (rows, columns), one below the other, NaN where there is no number
    line: int  # of the first row, counted from 1
    preamble: tuple[str, ...]  # the lines between the table before and this one's names
    decimal: str
    separator: str
    findings: tuple[Finding, ...] = ()
    labels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # of columns that hold words, one a row

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return sum(part.shape[0] for part in self.parts)

    def column(self, index: int) -> NDArray[np.float64]:
        """(rows,) float: one column."""
        return np.concatenate([part[:, index] for part in self.parts]) if self.parts else np.empty(0)


def find_tables(text: str, options: ReadOptions = AS_FOUND, decimal: str | None = None) -> tuple[Table, ...]:
    """Every table in the text that has column names or at least two columns of numbers.

    Parameters
    ----------
    decimal : what the file itself says of its decimal mark; `options.decimal` overrides it

    Raises
    ------
    CurveError
        If there is no table, or its numbers can be read in two ways.
    """
    separator = options.separator or find_separator(text)
    for rewrite in (with_units_above, with_single_words, with_names_above):
        if not separator and (rewritten := rewrite(text)) is not None:
            text, separator = rewritten, find_separator(rewritten)
    if not separator:
        raise CurveError("there are no rows of numbers in the file: it holds a header at most; export the raw data too")
    told = options.decimal or decimal
    mark = told or _decimal(text, separator)
    found: list[Table] = []
    position, line_number = 0, 1
    pending: list[str] = []
    while position < len(text) and len(found) < _MOST_TABLES:
        newline = text.find("\n", position)
        end = len(text) if newline < 0 else newline
        line = text[position:end]
        fields = without_trailing_blanks(split_row(line, separator))
        if len(fields) >= 2 and is_data(fields):
            number = NumberReader(mark, certain=options.decimal is not None)
            names, units, preamble = _header(pending, separator, len(fields))
            if separator == "," and told != ".":
                _check_commas(names, fields, text[position : position + 4000])
            columns = max(len(fields), min(len(names), len(split_row(line, separator))))
            words = frozenset(at for at, field in enumerate(fields) if is_word(field) and not is_missing(field))
            block = read_block(text, position, separator, columns, number, words)
            if number.doubtful and not number.certain:
                lines = text[position : block.end].split("\n")
                number.certain = are_thousands((split_row(row, separator) for row in lines if row.strip()), mark)
            odd = number.check(max(block.rows * columns, 1))
            found.append(
                Table(
                    _padded(names, columns),
                    _padded(units, columns),
                    tuple(block.parts),
                    line_number,
                    preamble,
                    mark,
                    separator,
                    _findings(block, odd, text, number),
                    {at: tuple(said) for at, said in block.labels.items()},
                )
            )
            moved = max(block.end, end + 1)
            line_number += text.count("\n", position, moved) if moved < len(text) else 0
            position, pending = moved, []
            continue
        if not is_gap(fields):
            pending.append(line)
        position, line_number = end + 1, line_number + 1
    if not found:
        raise CurveError("there are no rows of numbers in the file: it holds a header at most; export the raw data too")
    return tuple(found)


def _decimal(text: str, separator: str) -> str:
    """The decimal mark of a file that does not tell it; "." where its numbers are whole, with thousands marks."""
    evidence = _evidence(text, separator)
    if evidence.either and not evidence.dot and not evidence.comma:
        rows = [split_row(line, separator) for line in text.split("\n")]
        data = [fields for fields in rows if is_data(without_trailing_blanks(fields))]
        for mark in (".", ","):
            if are_thousands(data, mark):
                return mark
    return decide(evidence, separator=separator)


def _evidence(text: str, separator: str) -> Evidence:
    """What the first rows say of the decimal mark; all rows where those leave it open."""
    evidence = weigh(islice(_data_fields(text, separator), _EVIDENCE_FIELDS))
    if evidence.dot or evidence.comma:
        return evidence
    return weigh(_data_fields(text, separator)) if evidence.either else evidence


def _data_fields(text: str, separator: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        newline = text.find("\n", position)
        end = len(text) if newline < 0 else newline
        fields = split_row(text[position:end], separator)
        if is_data(without_trailing_blanks(fields)):
            yield from filter(looks_numeric, fields)
        position = end + 1


def _header(lines: list[str], separator: str, columns: int) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names, units and what stands before them, from the lines above the first row of numbers."""
    lines = [line for line in lines if not _RULE.match(line.replace(separator, ""))]
    rows = [_header_row(line, separator, columns) for line in lines]
    at = len(rows) - 1
    while at >= 0 and not rows[at] and len(rows) - at <= 2:
        at -= 1
    if at < 0 or not rows[at]:
        return (), (), tuple(lines)
    units: list[str] = []
    if is_units_row(rows[at]) and at > 0:
        units, at = rows[at], at - 1
        while at > 0 and not rows[at]:
            at -= 1
    names = rows[at]
    if not units and at == 0 and all(parse_unit(name) is not None for name in names):
        return (), tuple(_bare(unit) for unit in names), ()
    if len(names) < 2 or not any(any(char.isalpha() for char in name) for name in names):
        return (), tuple(_bare(unit) for unit in units), tuple(lines[: at + 1])
    pairs = [split_name(name) for name in names]
    inline = [unit for _, unit in pairs]
    if not units and not any(inline) and at > 0 and len(rows[at - 1]) == len(names) and is_units_row(rows[at - 1]):
        units = rows[at - 1]  # above the names
    both = [below or beside for below, beside in zip(units + [""] * len(names), inline, strict=False)]
    wide = [_bare(unit) for unit in both] + [_bare(unit) for unit in units[len(both) :]]
    return tuple(name for name, _ in pairs), tuple(wide), tuple(lines[:at])


def _header_row(line: str, separator: str, columns: int) -> list[str]:
    """The fields of a line above the numbers; names with blanks in them where blanks separate, too."""
    line = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide.group()), _REMARK.sub("", line))
    fields = without_trailing_blanks(split_row(line, separator))
    if separator == " " and len(fields) != columns:
        if '"' in line:
            quoted = next(csv.reader([line], delimiter=" ", skipinitialspace=True), [])
            return [field.strip() for field in quoted if field.strip()]
        units = _UNIT_BEHIND.findall(line)
        if len(units) == columns:  # Displacement (mm) Force (N)
            return [field.strip() for field in units]
        wide = [field for field in re.split(r"\t+| {2,}", line.strip()) if field]
        return wide if len(wide) == columns else fields
    return fields


def is_units_row(fields: list[str]) -> bool:
    """Whether a row holds units: most of what it says are known ones, and none of it is a number."""
    said = [field for field in fields if field]
    known = sum(parse_unit(field) is not None for field in said)
    bracketed = sum(field[:1] in "([{" and field[-1:] in ")]}" for field in said)
    short = all(len(field) <= 16 and not looks_numeric(field) for field in said)
    return bool(said) and short and (bracketed == len(said) or 2 * known >= len(said))


def split_name(name: str) -> tuple[str, str]:
    """A column's name and the unit written beside it, "" where there is none."""
    if len(name) > _LONGEST_NAME:
        return name, ""
    match = _INLINE.match(name)
    if match:
        inside = match["unit"].strip()
        if parse_unit(inside) is not None or (
            match["name"] and len(inside) <= 6 and inside.isascii() and " " not in inside
        ):
            return match["name"].strip() or name, inside
        outer = match["name"].strip()
        if (before := _INLINE.match(outer)) and parse_unit(before["unit"]) is not None:  # "Load (N) [5 kN cell]"
            return before["name"].strip() or name, before["unit"].strip()
        if outer and (unit := _described(inside)):
            return outer, unit
    for pattern in (_SLASHED, _SUFFIX, _SPACED):
        match = pattern.match(name)
        if match and (parse_unit(match["unit"]) is not None or _is_product(match["unit"])):
            return match["name"].strip(), match["unit"]
    within = {unit.casefold() for unit in _WITHIN.findall(name)}
    return name, within.pop() if len(within) == 1 else ""


def _described(inside: str) -> str:
    """The unit in brackets that say more: of "in mm" the last word; "x10 N" as a whole, which nobody may take as N."""
    *before, last = inside.split() or [""]
    if before and parse_unit(last) is not None:
        return inside if _SCALED.search(" ".join(before)) else last
    return inside if _is_product(inside) else ""


def _is_product(text: str) -> bool:
    """Whether a unit is multiplied in it, such as "N x 10^3"."""
    return bool(_PRODUCT.search(text)) and any(parse_unit(word) is not None for word in re.findall(r"[^\W\d_]+", text))


def _padded(words: tuple[str, ...], columns: int) -> tuple[str, ...]:
    return words[:columns] + ("",) * (columns - len(words))


def _bare(unit: str) -> str:
    return unit.strip().strip("()[]{}").strip()


def _check_commas(names: tuple[str, ...], fields: list[str], rows: str) -> None:
    """Raises CurveError where commas seem to be both separator and decimal mark: twice as many fields as names, or
    fields such as 00125, which are no numbers but what follows a decimal comma.
    """
    twice = bool(names) and len(fields) >= len(names) + max(1, len(names) // 2)
    all_fields = rows.replace("\n", ",").split(",")
    tails = sum(field[:1] == "0" and len(field) > 1 and field.isdigit() for field in all_fields)
    if twice or tails > 0.1 * len(all_fields):
        raise CurveError(
            f"{len(fields)} fields under {len(names)} column names: commas seem to be both separator and decimal mark; "
            "export with another separator, or with quoted numbers"
        )


def _findings(block: Block, odd: int, text: str, number: NumberReader) -> tuple[Finding, ...]:
    found: list[Finding] = []

    def add(code: str, effect: Effect, message: str) -> None:
        severity = Severity.ERROR if effect is Effect.REJECT else Severity.WARNING
        found.append(Finding(code, severity, effect, message))

    rows = block.rows
    bad = block.skipped + block.damaged + block.ragged
    if bad:
        many = bad > max(3, 0.02 * rows)
        where = f", the first one {block.first_bad_line!r}" if block.first_bad_line else ""
        add(
            "UNREADABLE_ROWS",
            Effect.REJECT if many else Effect.WARN,
            f"{bad} of {rows + block.skipped} rows are damaged and left out{where}; export the test again",
        )
    if odd:
        add("ODD_NUMBERS", Effect.WARN, f"{odd} numbers such as {number.example!r} fit another decimal mark: left out")
    if block.cut:
        add("TRUNCATED", Effect.REJECT, "the file ends in the middle of a row: it was cut; export the test again")
    elif block.end >= len(text) and not text.endswith("\n"):
        add("NO_FINAL_NEWLINE", Effect.WARN, "the last row has no line end: the file may have been cut there")
    return tuple(found)
