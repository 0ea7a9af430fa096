"""Damages test-machine files as people, programs and disks do, and judges what becomes of the toughness."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from toughopt.compression import Severity, Toughness, analyze, read_curves
from toughopt.errors import CurveError

ENCODINGS = {
    "bluehill_german": "cp1252",
    "bluehill_polish": "cp1250",
    "bluehill_chinese": "gbk",
    "bluehill_universal": "utf-16",
    "bluehill_universal_semicolon": "utf-8-sig",
    "testsuite": "utf-8-sig",
    "zwick_tra": "latin-1",
    "trapezium_polish": "cp1250",
    "trapezium_korean": "cp949",
    "trapezium_japanese": "cp932",
    "plain_semicolon_note": "cp1252",
    "bluehill_french": "cp1252",
    "plain_french": "utf-16",
    "plain_swiss": "cp1252",
    "plain_russian": "cp1251",
    "testsuite_german": "utf-8-sig",
    "mts793_french": "cp1252",
    "zwick_blocks": "utf-8-sig",
    "zwick_comma": "utf-16",
    "trapezium_german": "cp1252",
}
LONGEST_S = 2.0
_UNIT = re.compile(r"(?<![A-Za-z])(kN|N|mm|lbf|sec|s)(?![A-Za-z/-])")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_SUFFIX = re.compile(r"(?<=\d) ?(?:kN|N|mm|in|lbF)\b")
_OTHER_UNIT = {"kN": "N", "N": "kN", "mm": "cm", "lbf": "N", "sec": "min", "s": "min"}


@dataclass(frozen=True)
class Damaged:
    """A damaged file, and how it was damaged."""

    kind: str
    data: bytes
    what: str = ""


@dataclass
class Tally:
    """What became of the damaged files."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


def _data_lines(lines: list[str]) -> list[int]:
    """Indices of the lines that are mostly numbers."""
    bare = [_SUFFIX.sub("", line) for line in lines]
    return [i for i, line in enumerate(bare) if len(_NUMBER.findall(line)) >= 2 and not re.search(r"[^\W\d_]{2}", line)]


def _first(lines: list[str]) -> int:
    rows = _data_lines(lines)
    for at, row in enumerate(rows):
        if rows[at : at + 5] == list(range(row, row + 5)):
            return row
    return len(lines)


def _separator(text: str) -> str:
    lines = text.splitlines()
    row = lines[_first(lines)]
    return "\t" if "\t" in row else ";" if ";" in row else "," if "," in row else " "


def header(rng: np.random.Generator, text: str) -> str:
    """One damage to what stands above the numbers."""
    lines = text.splitlines(keepends=True)
    first = _first([line.strip("\r\n") for line in lines])
    at = int(rng.integers(0, max(first, 1)))
    match int(rng.integers(0, 7)):
        case 0:
            del lines[at]
        case 1:
            lines[at] = lines[at].upper()
        case 2:
            lines.insert(at, "a note that somebody added\n")
        case 3:
            lines[at] = lines[at][::-1].strip() + "\n"
        case 4:
            lines[at] = re.sub(r"[^\W\d_]{3,}", "xyz", lines[at], count=1)
        case 5:
            lines.insert(at, "\n")
        case _:
            lines = lines[max(0, first - 2) :]
    return "".join(lines)


def unit(rng: np.random.Generator, text: str) -> tuple[str, str]:
    """One unit into another, or into none; and which of the two."""
    lines = text.splitlines(keepends=True)
    first = _first([line.strip("\r\n") for line in lines])
    head = "".join(lines[:first])
    found = list(_UNIT.finditer(head))
    if not found:
        return text, "unit lost"
    match = found[int(rng.integers(0, len(found)))]
    choice = int(rng.integers(0, 3))
    new = (_OTHER_UNIT[match.group()], "qq", "")[choice]
    changed = head[: match.start()] + new + head[match.end() :]
    return changed + "".join(lines[first:]), "unit swapped" if choice == 0 else "unit lost"


def separator(rng: np.random.Generator, text: str) -> str:
    """Another separator everywhere, or in one line, or doubled, or at line ends."""
    old = _separator(text)
    new = str(rng.choice([s for s in ("\t", ";", ",", "|", " ") if s != old]))
    match int(rng.integers(0, 4)):
        case 0:
            return text.replace(old, new)
        case 1:
            lines = text.splitlines(keepends=True)
            at = int(rng.integers(0, len(lines)))
            lines[at] = lines[at].replace(old, new)
            return "".join(lines)
        case 2:
            return text.replace("\n", old + "\n").replace("\r" + old, old + "\r")
        case _:
            lines = text.splitlines(keepends=True)
            at = int(rng.integers(0, len(lines)))
            lines[at] = lines[at].replace(old, old + old, 1)
            return "".join(lines)


def decimal(rng: np.random.Generator, text: str) -> str:
    """The other decimal mark everywhere, from some line on, in one line or in one number."""
    lines = text.splitlines(keepends=True)
    first = _first([line.strip("\r\n") for line in lines])
    swap = str.maketrans(".,", ",.") if _separator(text) != "," else str.maketrans(".", ",")
    match int(rng.integers(0, 4)):
        case 0:
            chosen = range(first, len(lines))
        case 1:
            chosen = range(int(rng.integers(first, len(lines))), len(lines))
        case 2:
            at = int(rng.integers(first, len(lines)))
            chosen = range(at, at + 1)
        case _:
            at = int(rng.integers(first, len(lines)))
            numbers = list(_NUMBER.finditer(lines[at]))
            if numbers:
                one = numbers[int(rng.integers(0, len(numbers)))]
                lines[at] = lines[at][: one.start()] + one.group().translate(swap) + lines[at][one.end() :]
            chosen = range(0)
    for at in chosen:
        lines[at] = lines[at].translate(swap)
    return "".join(lines)


def encoding(rng: np.random.Generator, text: str) -> bytes:
    """The file in an encoding that it was not meant for."""
    name = str(
        rng.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp932", "gb18030"])
    )
    return text.encode(name, errors="replace")


def column_order(rng: np.random.Generator, text: str) -> str:
    """The columns, names and units and numbers, in another order."""
    lines = text.splitlines()
    first, mark = _first(lines), _separator(text)
    if mark in (" ",) or (mark == "," and '"' in text) or "_ 1" in text:
        return text
    width = len(lines[first].split(mark))
    said = [
        name for name in lines[max(first - 2, 0)].split(mark) + lines[max(first - 1, 0)].split(mark) if len(name) > 4
    ]
    if len(set(said)) < len(said):
        return text  # specimens side by side, whose columns only their order tells apart
    order = rng.permutation(width)
    changed = []
    for at, line in enumerate(lines):
        fields = line.split(mark)
        whole = len(fields) == width and at >= first - 3
        changed.append(mark.join(fields[i] for i in order) if whole else line)
    return "\n".join(changed) + "\n"


def noise_bytes(rng: np.random.Generator, data: bytes) -> bytes:
    """A few bytes flipped, lost, doubled or inserted anywhere."""
    raw = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, len(raw)))
        match int(rng.integers(0, 4)):
            case 0:
                raw[at] = int(rng.integers(0, 256))
            case 1:
                del raw[at]
            case 2:
                raw.insert(at, int(rng.integers(0, 256)))
            case _:
                end = min(at + int(rng.integers(1, 400)), len(raw))
                raw[at:at] = raw[at:end]
    return bytes(raw)


def damage(rng: np.random.Generator, data: bytes, coding: str) -> Damaged:
    """The file, in the encoding `coding`, with one damage of a random kind."""
    text = data.decode(coding)
    kinds: list[Callable[[], Damaged]] = [
        lambda: Damaged("header", header(rng, text).encode(coding, errors="replace")),
        lambda: (lambda made: Damaged(made[1], made[0].encode(coding, errors="replace")))(unit(rng, text)),
        lambda: Damaged("separator", separator(rng, text).encode(coding, errors="replace")),
        lambda: Damaged("decimal", decimal(rng, text).encode(coding, errors="replace")),
        lambda: Damaged("encoding", encoding(rng, text)),
        lambda: Damaged("columns", column_order(rng, text).encode(coding, errors="replace")),
        lambda: Damaged("bytes", noise_bytes(rng, data)),
        lambda: Damaged("cut", data[: int(rng.integers(1, len(data) - 1))]),
    ]
    return kinds[int(rng.integers(0, len(kinds)))]()


def outcome(damaged: Damaged, whole: Toughness, specimens: int = 1, tolerance: float = 0.01) -> tuple[str, float, str]:
    """What becomes of a damaged file ("error", "rejected", "told", "right" or "SILENT"), processor seconds, details.

    `whole` is what the undamaged file says of the first of its `specimens`; where there are not as many of them any
    more, the likest is judged.
    Anything but a CurveError that is raised passes through: it is a failure of the reader.
    """
    begun = time.process_time()
    try:
        curves = read_curves(damaged.data)
        results = [analyze(curve) for curve in (curves[:1] if len(curves) == specimens else curves)]
    except CurveError as error:
        return "error", time.process_time() - begun, str(error)
    elapsed = time.process_time() - begun
    first = min(results, key=lambda result: abs((result.toughness_j or 0.0) - (whole.toughness_j or 0.0)))
    details = "; ".join(first.warnings)
    known = {finding.code for finding in whole.findings}
    new = [f for f in first.findings if f.severity is not Severity.INFO and f.code not in known]
    if first.toughness_j is None:
        return "rejected", elapsed, details
    assert whole.toughness_j is not None
    if damaged.kind == "cut":
        flagged = {f.code for f in first.findings} & {"TRUNCATED", "NO_FINAL_NEWLINE", "ENDS_UNDER_LOAD"}
        return "told" if flagged else "SILENT", elapsed, details
    if new:
        return "told", elapsed, details
    off = first.toughness_j / whole.toughness_j - 1.0
    return ("right" if abs(off) <= tolerance else "SILENT"), elapsed, f"off by {100 * off:.2f} %; {details}"


def run(
    layouts: Mapping[str, Callable[..., bytes]],
    crush: Callable[..., object],
    files: int,
    seed: int,
    encodings: Mapping[str, str] | None = None,
) -> Tally:
    """Damage `files` files, drawn from every layout and a few curves, and tally what becomes of them.

    encodings : of layouts that `ENCODINGS` does not know and that are not UTF-8
    """
    rng = np.random.default_rng(seed)
    known = {**ENCODINGS, **(encodings or {})}
    names = list(layouts)
    tally = Tally()
    originals: dict[tuple[str, int], tuple[bytes, Toughness, int]] = {}
    for number in range(files):
        name, curve_seed = names[int(rng.integers(0, len(names)))], int(rng.integers(0, 4))
        if (name, curve_seed) not in originals:
            truth = crush(curve_seed, samples=80 + 40 * curve_seed, peak_n=(60.0, 700.0, 1800.0, 4900.0)[curve_seed])
            data = layouts[name](truth)
            curves = read_curves(data)
            originals[name, curve_seed] = (data, analyze(curves[0]), len(curves))
        data, whole, specimens = originals[name, curve_seed]
        damaged = damage(rng, data, known.get(name, "utf-8"))
        result, elapsed, details = outcome(damaged, whole, specimens)
        tally.slowest_s = max(tally.slowest_s, elapsed)
        tally.outcomes[damaged.kind, result] += 1
        if (result == "SILENT" and damaged.kind != "unit swapped") or elapsed > LONGEST_S:
            tally.failures.append(f"file {number}, {name}, {damaged.kind}: {result} after {elapsed:.2f} s: {details}")
    return tally


@dataclass(frozen=True)
class SampleTally:
    """Single samples that were changed: how many should be told, were told, and moved the toughness too far."""

    worth_telling: int
    told: int
    too_far: int


def run_samples(crush: Callable[..., object], samples: int, seed: int) -> SampleTally:
    """Change one force of a curve at a time; worth telling from 5 % of the peak and 10 times the noise on."""
    from toughopt.compression import Curve

    rng = np.random.default_rng(seed)
    worth = told = far = 0
    for _ in range(samples):
        truth = crush(
            int(rng.integers(0, 5)), samples=int(rng.integers(60, 400)), peak_n=float(10 ** rng.uniform(2, 3.7))
        )
        x, f = truth.displacement_mm, np.array(truth.force_n)  # type: ignore[attr-defined]
        whole = analyze(Curve(x, f))
        at = int(rng.integers(2, f.size - 2))
        old = f[at]
        f[at] = (10 * old, -old, 0.0, old / 10, old + 1000.0, 1e9)[int(rng.integers(0, 6))]
        result = analyze(Curve(x, f))
        if result.toughness_j is None or whole.toughness_j is None:
            told += 1
            worth += 1
            continue
        flagged = any(finding.code == "OUTLIER" for finding in result.findings)
        off = abs(f[at] - old)
        if off > max(0.05 * float(np.max(truth.force_n)), 10 * (whole.noise_n or 0.0)):  # type: ignore[attr-defined]
            worth += 1
            told += flagged
        own = 0.5 * max(abs(f[at]), abs(old)) * float(x[at + 1] - x[at - 1]) / 1e3
        if abs(result.toughness_j - whole.toughness_j) > own + 2e-3 * whole.toughness_j * (off > 0):
            far += 1
    return SampleTally(worth, told, far)
