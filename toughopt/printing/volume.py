"""Where a machine's head may go."""

from __future__ import annotations

from toughopt.profiles import Bed

_TOLERANCE_MM = 0.01


class Volume:
    """The room above the bed, with the margin that the profile allows beyond it."""

    def __init__(self, bed: Bed) -> None:
        width, depth = bed.size_mm
        corner = bed.origin == "corner"
        self._middle = (width / 2, depth / 2) if corner else (0.0, 0.0)
        reach = bed.margin_mm + _TOLERANCE_MM
        self._half = (width / 2 + reach, depth / 2 + reach)
        self._height_mm = bed.height_mm + _TOLERANCE_MM
        self._round = bed.shape == "circle"

    def holds(self, x: float | None, y: float | None, z: float | None) -> bool:
        """Whether the place is inside; a coordinate that is not known counts as inside, mm."""
        across = 0.0 if x is None else abs(x - self._middle[0]) / self._half[0]
        along = 0.0 if y is None else abs(y - self._middle[1]) / self._half[1]
        if (across * across + along * along if self._round else max(across, along)) > 1.0:
            return False
        return -_TOLERANCE_MM <= (0.0 if z is None else z) <= self._height_mm
