"""How a text file is laid out: what separates its fields, and which of its lines are rows of numbers."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from toughopt.compression.numbers import is_missing, looks_numeric

SEPARATORS = ("\t", ";", "|", ",", " ")
_WORD = re.compile(r"[^\W\d]\w{0,19}\Z")
_HEAD, _TAIL = 300, 40


def split_row(line: str, separator: str) -> list[str]:
    """The fields of a line, without quotes; blanks around them are kept off."""
    if separator == " ":
        return [field.strip('"') for field in line.replace("\t", "\0").split()]
    if '"' not in line:
        return [field.strip() for field in line.split(separator)]
    try:
        fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        fields = line.split(separator)
    return [field.strip().strip('"').strip() for field in fields]


def without_trailing_blanks(fields: list[str]) -> list[str]:
    """The fields up to the last one that says something."""
    end = len(fields)
    while end and not fields[end - 1]:
        end -= 1
    return fields[:end]


def is_data(fields: list[str]) -> bool:
    """Whether a row of fields holds measurements: two numbers or more, blanks, at most half as many single words."""
    numbers = words = 0
    for field in fields:
        if looks_numeric(field):
            numbers += 1
        elif not is_missing(field):
            if not is_word(field):
                return False
            words += 1
    return numbers >= 2 and 2 * words <= numbers


def is_gap(fields: list[str]) -> bool:
    """Whether a row of fields is one of measurements of which some are missing, such as a NaN."""
    return any(field and is_missing(field) for field in fields) and all(
        is_missing(field) or looks_numeric(field) for field in fields
    )


def is_word(field: str) -> bool:
    """Whether a field is a single short word, such as the state of a machine that stands in a column of its own."""
    return _WORD.match(field) is not None


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines from the beginning and the end of a file."""

    head: list[str]
    tail: list[str]

    @classmethod
    def of(cls, text: str) -> Sample:
        """The first and the last lines that are not blank."""
        head = [line for line in text[: 400 * _HEAD].split("\n") if line.strip()]
        tail = [line for line in text[-400 * _TAIL :].split("\n") if line.strip()][-_TAIL:]
        return cls(head, tail)


def find_separator(text: str) -> str:
    """The separator under which most lines are rows of as many numbers; "" when none makes a row of two."""
    sample = Sample.of(text)
    lines = sample.head[:_HEAD] + sample.tail
    if len(sample.head) > 2 * _HEAD:
        lines += sample.head[-_HEAD:]
    best, best_score = "", 0
    for separator in SEPARATORS:
        rows: Counter[int] = Counter()
        for line in lines:
            if separator not in line:
                continue
            fields = without_trailing_blanks(split_row(line, separator))
            if len(fields) >= 2 and is_data(fields):
                rows[len(fields)] += 1
        score = rows.most_common(1)[0][1] if rows else 0
        if score > best_score:
            best, best_score = separator, score
    return best
