"""The documentation as its reader sees it: pages, and the blocks that are commands or Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!-- (hardware|elsewhere) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, its line, and a mark in the comment before it."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        mark = _MARK.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, match["language"], match["text"], mark[1] if mark else ""))
    return found


@pytest.fixture(scope="session")
def pages() -> list[Path]:
    """Every page of the documentation, README and CONTRIBUTING among them."""
    return PAGES


@pytest.fixture(scope="session")
def blocks() -> list[Block]:
    """Every fenced block there is."""
    return [block for page in PAGES for block in blocks_of(page)]
