"""Units of force, displacement and time as test machines write them, and what turns them into N, mm and s."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toughopt.errors import CurveError

STANDARD_GRAVITY = 9.80665  # m/s2, CGPM 1901
POUND_FORCE = 4.4482216152605  # N, NIST SP 811
INCH = 25.4  # mm, exactly

# Exact spellings first: case tells mN (milli) from MN (mega).
_EXACT: dict[str, tuple[str, float]] = {
    "N": ("force", 1.0),
    "kN": ("force", 1e3),
    "mN": ("force", 1e-3),
    "MN": ("force", 1e6),
    "daN": ("force", 10.0),
    "cN": ("force", 0.01),
    "lbf": ("force", POUND_FORCE),
    "lb": ("force", POUND_FORCE),
    "klbf": ("force", 1e3 * POUND_FORCE),
    "kip": ("force", 1e3 * POUND_FORCE),
    "ozf": ("force", POUND_FORCE / 16),
    "kgf": ("force", STANDARD_GRAVITY),
    "kp": ("force", STANDARD_GRAVITY),
    "kg": ("force", STANDARD_GRAVITY),
    "gf": ("force", STANDARD_GRAVITY / 1e3),
    "tf": ("force", 1e3 * STANDARD_GRAVITY),
    "mm": ("length", 1.0),
    "cm": ("length", 10.0),
    "dm": ("length", 100.0),
    "m": ("length", 1e3),
    "um": ("length", 1e-3),
    "µm": ("length", 1e-3),
    "micron": ("length", 1e-3),
    "nm": ("length", 1e-6),
    "in": ("length", INCH),
    "inch": ("length", INCH),
    '"': ("length", INCH),
    "mil": ("length", INCH / 1e3),
    "ft": ("length", 12 * INCH),
    "s": ("time", 1.0),
    "sec": ("time", 1.0),
    "sek": ("time", 1.0),
    "second": ("time", 1.0),
    "ms": ("time", 1e-3),
    "msec": ("time", 1e-3),
    "us": ("time", 1e-6),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "hr": ("time", 3600.0),
    "d": ("other", 1.0),
    "%": ("strain", 0.01),
    "mm/mm": ("strain", 1.0),
    "in/in": ("strain", 1.0),
    "m/m": ("strain", 1.0),
    "strain": ("strain", 1.0),
    "Pa": ("stress", 1e-6),
    "kPa": ("stress", 1e-3),
    "MPa": ("stress", 1.0),
    "GPa": ("stress", 1e3),
    "psi": ("stress", 6.894757293168e-3),
    "ksi": ("stress", 6.894757293168),
    "N/mm2": ("stress", 1.0),
    "N/mm²": ("stress", 1.0),
    "kgf/mm2": ("stress", STANDARD_GRAVITY),
    "V": ("other", 1.0),
    "mV": ("other", 1.0),
    "Nm": ("other", 1.0),
    "N-m": ("other", 1.0),
    "N·m": ("other", 1.0),
    "N.m": ("other", 1.0),
    "Hz": ("other", 1.0),
    "°C": ("other", 1.0),
    "C": ("other", 1.0),
    "deg": ("other", 1.0),
    "°": ("other", 1.0),
    "J": ("other", 1.0),
    "mJ": ("other", 1.0),
    "mm/min": ("other", 1.0),
    "mm/s": ("other", 1.0),
    "N/s": ("other", 1.0),
    "kN/s": ("other", 1.0),
    "in/min": ("other", 1.0),
    "%/min": ("other", 1.0),
    "cycles": ("other", 1.0),
    "segments": ("other", 1.0),
}
# Other spellings, compared without regard to case.
_LOOSE: dict[str, str] = {
    "newton": "N",
    "newtons": "N",
    "n": "N",
    "kn": "kN",
    "kilonewton": "kN",
    "kilonewtons": "kN",
    "dan": "daN",
    "lbs": "lbf",
    "pound": "lbf",
    "pounds": "lbf",
    "kips": "kip",
    "ozf": "ozf",
    "pound-force": "lbf",
    "pounds-force": "lbf",
    "pounds force": "lbf",
    "lb-f": "lbf",
    "kilogram-force": "kgf",
    "kilopond": "kp",
    "lbf": "lbf",
    "kgf": "kgf",
    "mm": "mm",
    "mils": "mil",
    "thou": "mil",
    "microns": "micron",
    "micrometer": "um",
    "micrometre": "um",
    "micrometers": "um",
    "micrometres": "um",
    "millimeter": "mm",
    "millimetre": "mm",
    "millimeters": "mm",
    "millimetres": "mm",
    "cm": "cm",
    "meter": "m",
    "metre": "m",
    "μm": "um",
    "µm": "um",
    "inches": "inch",
    "in": "in",
    "sec": "s",
    "secs": "s",
    "sek": "s",
    "sn": "s",
    "seconds": "s",
    "sekunden": "s",
    "s": "s",
    "msec": "ms",
    "minutes": "min",
    "hours": "h",
    "秒": "s",
    "초": "s",
    "másodperc": "s",
    "mp": "s",
    "毫米": "mm",
    "厘米": "cm",
    "牛": "N",
    "牛顿": "N",
    "千牛": "kN",
    "公斤力": "kgf",
    "千克力": "kgf",
    "мм": "mm",
    "кн": "kN",
    "н": "N",
    "с": "s",
    "сек": "s",
    "кгс": "kgf",
    "см": "cm",
    "ニュートン": "N",
    "mpa": "MPa",
    "n/mm2": "N/mm2",
    "n/mm²": "N/mm2",
    "n/mm^2": "N/mm2",
    "n/mm**2": "N/mm2",
    "kgf/mm2": "kgf/mm2",
    "мкм": "um",
    "g": "gf",
    "gram": "gf",
    "grams": "gf",
}
_BRACKETS = re.compile(r"^\s*[(\[{<]\s*(.*?)\s*[)\]}>]\s*$")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: what it measures and the factor to N, mm, s, MPa or 1."""

    text: str
    quantity: str  # "force" | "length" | "time" | "stress" | "strain" | "other"
    factor: float


def parse_unit(text: str) -> Unit | None:
    """The unit that `text` spells, with or without brackets, or None."""
    match = _BRACKETS.match(text)
    bare = (match.group(1) if match else text).strip().strip("'").strip()
    spelling = _spelled(bare) or _spelled(bare.rstrip("."))
    if spelling not in _EXACT:
        return None
    quantity, factor = _EXACT[spelling]
    return Unit(spelling, quantity, factor)


def _spelled(bare: str) -> str:
    return bare if bare in _EXACT else _LOOSE.get(bare.casefold(), "")


def require_unit(text: str, quantity: str, what: str) -> Unit:
    """The unit that a person gave for `what`. Raises CurveError when it is none of that quantity."""
    unit = parse_unit(text)
    if unit is None or unit.quantity != quantity:
        known = sorted(name for name, (kind, _) in _EXACT.items() if kind == quantity)
        raise CurveError(f"{what}={text!r} is no unit of {quantity}; known: {', '.join(known)}")
    return unit
