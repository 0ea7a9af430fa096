"""Any test machine's file to curves: encoding, reader by content, curves."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from toughopt.compression.base import AS_FOUND, Curve, Effect, Finding, Reader, ReadOptions, Severity
from toughopt.compression.bluehill import BluehillReader
from toughopt.compression.encodings import decode
from toughopt.compression.mesur import MesurReader
from toughopt.compression.mts793 import Mts793Reader
from toughopt.compression.own import OwnReader
from toughopt.compression.plain import PlainReader
from toughopt.compression.testsuite import TestSuiteReader
from toughopt.compression.trapezium import TrapeziumReader
from toughopt.compression.units import require_unit
from toughopt.compression.zwick import ZwickReader
from toughopt.errors import ConfigError, CurveError, ExtensionError, UnknownName
from toughopt.extensions import blamed, called, loaded, made_by

ENTRY_POINTS = "toughopt.readers"
_SHIPPED: tuple[Reader, ...] = (
    OwnReader(),
    Mts793Reader(),
    TrapeziumReader(),
    ZwickReader(),
    MesurReader(),
    TestSuiteReader(),
    BluehillReader(),
)
_LAST: Reader = PlainReader()


def readers() -> dict[str, Reader]:
    """Every reader by name, in the order in which they are asked: other packages' first, plain tables last."""
    found = dict(_of_other_packages())
    for shipped in (*_SHIPPED, _LAST):
        found.setdefault(shipped.name, shipped)
    return found


@cache  # looking through all installed packages takes longer than reading a usual file
def _of_other_packages() -> Mapping[str, Reader]:
    found: dict[str, Reader] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            made = loaded("reader", entry)
            whole = isinstance(made, Reader) and not isinstance(made, type)
            found[entry.name] = made if whole else made_by("reader", entry, Reader)
        except ConfigError as error:
            raise CurveError(str(error)) from error
    return found


def read_curves(
    source: str | Path | bytes,
    *,
    reader: str | Reader | None = None,
    column_map: dict[str, str | int] | None = None,
    decimal: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    force_unit: str | None = None,
    displacement_unit: str | None = None,
    time_unit: str | None = None,
) -> tuple[Curve, ...]:
    """Every curve in a test machine's file, one a specimen, compression positive, in N, mm and s.

    Parameters
    ----------
    source : path, or the bytes of the file
    reader : name of a reader (see `readers`) or one itself; by default the first that recognises the content
    column_map : {"force": ..., "displacement": ..., "time": ...} to header names or indices from 0
    decimal : "." or ","
    separator : one character between fields
    encoding : such as "cp1250"
    force_unit, displacement_unit, time_unit : override what the file says

    Raises
    ------
    CurveError
        If the file cannot be read, holds no usable test, or can be read in two ways; the message says what settles it.
    UnknownName
        If there is no reader of that name.
    """
    options = AS_FOUND
    if any((column_map, decimal, separator, force_unit, displacement_unit, time_unit)):
        options = ReadOptions(column_map, decimal, separator, force_unit, displacement_unit, time_unit)
    where = "the file" if isinstance(source, bytes) else str(source)
    text, findings = _text(source, encoding, where)
    chosen = _reader(reader, text)
    try:
        with blamed(f"{called('reader', chosen)} cannot read it", chosen):
            curves = chosen.read(text) if options is AS_FOUND else chosen.read(text, options)
    except (CurveError, ExtensionError) as error:
        raise CurveError(f"{where}: {error}") from error
    if curves is None or not len(curves):
        raise CurveError(f"{where}: no usable compression test")
    if odd := [type(one).__name__ for one in curves if not isinstance(one, Curve)]:
        raise CurveError(f"{where}: {called('reader', chosen)} gave a {odd[0]} for a Curve")
    told = (*findings, Finding("READER", Severity.INFO, Effect.NONE, f"read as {chosen.name}"))
    return tuple(
        Curve(c.displacement_mm, c.force_n, c.time_s, c.specimen, c.warnings, c.metadata, (*told, *c.findings))
        for c in curves
    )


def check_options(
    *,
    reader: str | None = None,
    encoding: str | None = None,
    force_unit: str | None = None,
    displacement_unit: str | None = None,
    time_unit: str | None = None,
) -> None:
    """Whether there are such things, before any file is there. Raises CurveError, UnknownName.

    Readers of other packages are imported, because every file is shown to them.
    """
    known = readers()
    if reader is not None and reader not in known:
        raise UnknownName("reader", reader, known)
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise CurveError(f"there is no encoding {encoding!r}; utf-8, cp1252 and utf-16 are usual") from error
    for text, quantity in ((force_unit, "force"), (displacement_unit, "length"), (time_unit, "time")):
        if text is not None:
            require_unit(text, quantity, f"{'displacement' if quantity == 'length' else quantity}_unit")


def _text(source: str | Path | bytes, encoding: str | None, where: str) -> tuple[str, tuple[Finding, ...]]:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise CurveError(f"{where}: cannot be read: {error.strerror or error}") from error
    try:
        text, findings = decode(data, encoding)
    except CurveError as error:
        raise CurveError(f"{where}: {error}") from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, findings


def _reader(reader: str | Reader | None, text: str) -> Reader:
    if isinstance(reader, Reader):
        return reader
    known = readers()
    if reader is not None:
        if reader not in known:
            raise UnknownName("reader", reader, known)
        return known[reader]
    return next((candidate for candidate in known.values() if _recognises(candidate, text)), _LAST)


def _recognises(reader: Reader, text: str) -> bool:
    try:
        with blamed(f"{called('reader', reader)} cannot tell whether the file is of its kind", reader):
            return bool(reader.recognises(text))
    except ExtensionError as error:
        raise CurveError(str(error)) from error
