"""Where a machine's head may go."""

from __future__ import annotations

from toughopt.profiles import Bed

_TOLERANCE_MM = 0.01


class Volume:
    """The room above the bed, with the margin that the profile allows beyond it."""

    def __init__(self, bed: Bed) -> None:
        width, depth = bed.size_mm
        x, y = (width / 2, depth / 2) if bed.origin == "corner" else (0.0, 0.0)
        reach = bed.margin_mm + _TOLERANCE_MM
        half_x, half_y = width / 2 + reach, depth / 2 + reach
        self._middle, self._half = (x, y), (half_x, half_y)
        self._left, self._right, self._front, self._back = x - half_x, x + half_x, y - half_y, y + half_y
        self._low, self._high = -_TOLERANCE_MM, bed.height_mm + _TOLERANCE_MM
        self._round = bed.shape == "circle"

    def holds(self, x: float | None, y: float | None, z: float | None) -> bool:
        """Whether the place is inside; a coordinate that is not known counts as inside, mm."""
        return (
            (x is None or self._left <= x <= self._right)
            and (y is None or self._front <= y <= self._back)
            and (z is None or self._low <= z <= self._high)
            and (not self._round or self._is_near(x, y))
        )

    def _is_near(self, x: float | None, y: float | None) -> bool:
        across = 0.0 if x is None else (x - self._middle[0]) / self._half[0]
        along = 0.0 if y is None else (y - self._middle[1]) / self._half[1]
        return across * across + along * along <= 1.0
