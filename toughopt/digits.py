"""Numbers as people read and type them."""

from __future__ import annotations

import re


def four_digits(value: float) -> str:
    """`0.01234`, `12.34`, `11755`: four significant digits, and all of those before the point."""
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


def decimal_comma(given: object) -> str:
    """What to add to a refusal of `3,1` as a number: "; the decimal mark is a point: 3.1", and "" of anything else."""
    found = re.fullmatch(r"\s*([+-]?\d*),(\d+)\s*", given) if isinstance(given, str) else None
    return f"; the decimal mark is a point: {found[1]}.{found[2]}" if found else ""
