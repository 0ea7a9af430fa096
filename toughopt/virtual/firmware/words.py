"""A line of G-code as Marlin's parser sees it: a code, letters with numbers, or a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"\s*N\s*-?\d+\s*")
_HEAD = re.compile(r"\s*([GMT])\s*(\d+)(?:\.(\d+))?\s*")
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_TEXT_CODES = frozenset({"M0", "M1", "M16", "M20", "M23", "M28", "M30", "M32", "M117", "M118", "M928"})

FAST_LINEAR = re.compile(
    r"(G[01])(?: F(\d+\.?\d*))?(?: X(-?\d*\.?\d+))?(?: Y(-?\d*\.?\d+))?(?: Z(-?\d*\.?\d+))?(?: E(-?\d*\.?\d+))?"
    r"(?: F(\d+\.?\d*))?"
)
"""What nearly every line of a program looks like; anything else goes through `parse`."""


@dataclass(frozen=True, slots=True)
class Words:
    """One command: `code` such as "G1" (empty where there is none), its numbers by letter, its text."""

    code: str
    numbers: dict[str, float | None]
    text: str

    def has(self, letter: str) -> bool:
        """Whether the letter stands there, with or without a number."""
        return letter in self.numbers

    def get(self, letter: str) -> float | None:
        """The letter's number, None where it has none or is not there."""
        return self.numbers.get(letter)

    def number(self, letter: str, default: float) -> float:
        """The letter's number, 0 where it stands alone, `default` where it is not there."""
        value = self.numbers.get(letter, default)
        return 0.0 if value is None else value


def command_part(line: str) -> str:
    """The line without its number and checksum."""
    star = line.find("*")
    if star >= 0:
        line = line[:star]
    found = _NUMBER.match(line)
    return (line[found.end() :] if found else line).strip()


def parse(command: str) -> Words:
    """The words of a command without number and checksum."""
    head = _HEAD.match(command)
    if head is None:
        return Words("", {}, command)
    letter, digits, sub = head.groups()
    code = f"{letter}{int(digits)}" + (f".{sub}" if sub else "")
    rest = command[head.end() :]
    if code in _TEXT_CODES:
        return Words(code, _leading_words(rest), rest)
    return Words(code, {word: float(value) if value else None for word, value in _WORD.findall(rest)}, rest)


def _leading_words(text: str) -> dict[str, float | None]:
    """Letters with numbers before the text begins, as in `M0 S5 Press to go on`."""
    numbers: dict[str, float | None] = {}
    for part in text.split(" "):
        found = _WORD.fullmatch(part)
        if found is None or found.group(2) is None:
            break
        numbers[found.group(1)] = float(found.group(2))
    return numbers
