"""Numbers as test machines write them: which mark is the decimal one, and what a field is worth."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from toughopt.errors import CurveError

_LIKE = re.compile(r"[+-]?(?:\d[\d.,'’ \u00a0\u2009\u202f]*|[.,]\d+)(?:[eE][+-]?\d{1,4})?\Z")
_MISSING = frozenset({"", "nan", "-nan", "n/a", "na", "null", "none", "-", "--", "---", "----", "***", "****", "#n/a"})
_ENDLESS = frozenset(
    {"inf", "-inf", "+inf", "1.#inf", "1.#qnan", "-1.#ind", "#div/0!", "overflow", "infinity"}
) | frozenset({"over", "ovr", "over range", "overrange", "overload", "o.l", "ol", "err", "error", "#value!"})
_GROUPS = {
    ".": re.compile(r"[+-]?\d{1,3}(?:[,'’ \u00a0\u2009\u202f]\d{3})+(?:\.\d*)?\Z"),
    ",": re.compile(r"[+-]?\d{1,3}(?:[.'’ \u00a0\u2009\u202f]\d{3})+(?:,\d*)?\Z"),
}
_PLAIN = {
    ".": re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?\Z"),
    ",": re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d{1,4})?\Z"),
}
_GROUP_MARKS = str.maketrans("", "", "'’ \u00a0\u2009\u202f")
_FEWEST_WHOLE = 3
_STAMP = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ Tt]\d{1,2}:\d\d.*)?\Z|\d{1,3}:\d\d(?::\d\d(?:[.,:]\d+)?)?(?: ?[AaPp][Mm])?\Z"
)
_MINUS = str.maketrans({"−": "-", "–": "-"})


def is_missing(field: str) -> bool:
    """Whether the field says that there is no number, or is a date or a time of day."""
    word = field.strip().casefold()
    return word in _MISSING or word in _ENDLESS or _STAMP.match(word) is not None


def looks_numeric(field: str) -> bool:
    """Whether the field could be a number in some locale."""
    text = field.strip().translate(_MINUS)
    return _LIKE.match(text) is not None and _STAMP.match(text) is None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many fields can be read in only one way, and examples of each."""

    dot: int = 0  # fields in which the point must be the decimal mark
    comma: int = 0
    either: int = 0  # fields such as 1,256 or 1.256
    dot_example: str = ""
    comma_example: str = ""
    either_example: str = ""


def weigh(fields: Iterable[str]) -> Evidence:
    """What the fields say about the decimal mark.

    A mark is decimal for certain where it follows the other one, where the other one stands twice, where it is not
    followed by exactly three digits, and where it follows a lone zero, four digits or nothing.
    """
    votes = {".": 0, ",": 0, "?": 0}
    examples = {".": "", ",": "", "?": ""}
    for field in fields:
        vote = _vote(field.strip())
        if vote:
            votes[vote] += 1
            examples[vote] = examples[vote] or field.strip()
    return Evidence(votes["."], votes[","], votes["?"], examples["."], examples[","], examples["?"])


def _vote(field: str) -> str:
    dots, commas = field.count("."), field.count(",")
    if not dots and not commas:
        return ""
    if dots and commas:
        if dots > 1 and commas > 1:
            return ""
        return "." if field.rfind(".") > field.rfind(",") else ","
    mark, other = (".", ",") if dots else (",", ".")
    if dots + commas > 1:
        return other if _GROUPS[other].match(field) else ""
    whole, _, fraction = field.lstrip("+-").partition(mark)
    digits = len(fraction)
    if digits != 3 or not fraction.isdigit() or len(whole) > 3 or whole.startswith("0") or not whole.isdigit():
        return mark
    return "?"


def decide(evidence: Evidence, told: str | None = None, separator: str = "") -> str:
    """The decimal mark.

    Raises
    ------
    CurveError
        If the numbers can be read in two ways, or contradict each other.
    """
    if told is not None:
        return told
    dot, comma = evidence.dot, evidence.comma
    if dot and comma:
        if min(dot, comma) > 0.02 * max(dot, comma) + 1:
            raise CurveError(
                f"the numbers contradict each other: {evidence.dot_example!r} has a decimal point, "
                f"{evidence.comma_example!r} a decimal comma; repair the file or give decimal='.' or decimal=','"
            )
        return "." if dot > comma else ","
    if dot:
        return "."
    if comma:
        return ","
    if evidence.either == 0 or (separator == "," and "," not in evidence.either_example):
        return "."
    raise CurveError(
        f"{evidence.either_example!r} and all like it can be read with a decimal mark or with a thousands mark; "
        "give decimal='.' or decimal=','"
    )


def are_thousands(rows: Iterable[list[str]], decimal: str) -> bool:
    """Whether fields such as `1,004` can only be thousands: all else in their columns is whole and below 1000.

    rows : fields of each row; decimal : the decimal mark that other columns show
    """
    whole: dict[int, int] = {}
    other: set[int] = set()
    grouped: set[int] = set()
    mark = "," if decimal == "." else "."
    for fields in rows:
        for column, text in enumerate(fields):
            if not text.lstrip("+-").isdigit():
                lone = mark in text and decimal not in text and _GROUPS[decimal].match(text)
                (grouped if lone else other).add(column)
            elif len(text.lstrip("+-")) == 3:
                whole[column] = whole.get(column, 0) + 1
            elif len(text.lstrip("+-")) > 3:
                other.add(column)
    return bool(grouped) and not grouped & other and all(whole.get(column, 0) >= _FEWEST_WHOLE for column in grouped)


@dataclass(slots=True)
class NumberReader:
    """Reads fields with one decimal mark, and counts those that only make sense with the other one."""

    decimal: str
    certain: bool = False  # told by a person: a lone thousands mark is one then
    grouped: int = 0  # fields with a thousands mark and a decimal mark
    doubtful: int = 0  # fields with what can only be a thousands mark here, and no decimal mark
    contrary: int = 0
    example: str = ""

    def __call__(self, field: str) -> float:
        """Value of the field; NaN where it is missing or no number."""
        text = field.strip().translate(_MINUS)
        if _PLAIN[self.decimal].match(text):
            return _finite(text.replace(",", ".") if self.decimal == "," else text)
        if is_missing(text):
            return math.nan
        if _GROUPS[self.decimal].match(text):
            other = "," if self.decimal == "." else "."
            if other in text:
                if self.decimal in text or text.count(other) > 1:
                    self.grouped += 1
                else:
                    self.doubtful += 1
                    self.example = self.example or text
            bare = text.replace(other, "").translate(_GROUP_MARKS)
            return _finite(bare.replace(",", "."))
        if looks_numeric(text):
            self.contrary += 1
            self.example = self.example or text
        return math.nan

    def check(self, fields: int) -> int:
        """How many fields contradict the decimal mark. Raises CurveError if they are more than a few damaged ones."""
        odd = self.contrary + (0 if self.grouped or self.certain else self.doubtful)
        if odd > max(2, 0.01 * fields):
            raise CurveError(
                f"{odd} numbers such as {self.example!r} do not go with the others' decimal mark {self.decimal!r}; "
                "repair the file or give decimal='.' or decimal=','"
            )
        return odd


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else math.nan
