"""Numbers as people read them: four digits, and no powers of ten between a thousandth of a unit and ten million."""

from __future__ import annotations


def four_digits(value: float) -> str:
    """`0.01234`, `12.34`, `11755`: four significant digits, and all of those before the point."""
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
