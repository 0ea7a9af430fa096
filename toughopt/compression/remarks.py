"""Tables in which people's own words stand beside the numbers: `B-7,"J. Doe",0.512,12.3`."""

from __future__ import annotations

import re
from collections import Counter

from toughopt.compression.dialect import SEPARATORS, split_row
from toughopt.compression.numbers import is_missing, looks_numeric

_FEWEST = 10  # rows
_MOST_ODD = 0.02  # share of rows that are not like the others
_LONGEST = 19  # characters of a word that is kept
_NO_WORD = re.compile(r"\W+")


def with_single_words(text: str) -> str | None:
    """The same table with one word where it has texts, the first column of them; the others are blanked.

    None where it is no such table. The first column of texts is kept because it may name the specimens.
    """
    lines = text.split("\n")
    for separator in SEPARATORS[:-1]:
        split = {at: split_row(line, separator) for at, line in enumerate(lines) if separator in line}
        counts = Counter(len(fields) for fields in split.values() if sum(map(looks_numeric, fields)) >= 2)
        width, rows = counts.most_common(1)[0] if counts else (0, 0)
        if rows < _FEWEST:
            continue
        like = {at: fields for at, fields in split.items() if len(fields) == width and _count(fields) >= 2}
        texts = [column for column in range(width) if _is_text([fields[column] for fields in like.values()])]
        if texts and width - len(texts) >= 2:
            whole = {at: f for at, f in like.items() if all(c in texts or _is_number(f[c]) for c in range(width))}
            return "\n".join(
                _rewritten(whole[at], texts, separator) if at in whole else line for at, line in enumerate(lines)
            )
    return None


def _count(fields: list[str]) -> int:
    return sum(map(looks_numeric, fields))


def _is_number(field: str) -> bool:
    return looks_numeric(field) or is_missing(field)


def _is_text(values: list[str]) -> bool:
    """Whether a column holds texts throughout."""
    return sum(_is_number(value) for value in values) <= _MOST_ODD * len(values)


def _rewritten(fields: list[str], texts: list[int], separator: str) -> str:
    kept = list(fields)
    for column in texts:
        kept[column] = ""
    word = _NO_WORD.sub("_", fields[texts[0]])[-_LONGEST:]
    kept[texts[0]] = word if not word[:1].isdigit() else f"_{word}"
    return separator.join(f'"{field}"' if separator in field else field for field in kept)
