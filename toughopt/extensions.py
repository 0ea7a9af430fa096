"""Parts of other packages: loaded from their entry points and checked, and named wherever they go wrong."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import Any

from toughopt.errors import ConfigError, ExtensionError, ToughoptError


def named(what: str, name: str, points: Iterable[EntryPoint]) -> EntryPoint | None:
    """The entry point of that name, or None. Raises ConfigError where two packages add different ones."""
    found = {point.value: point for point in points if point.name == name} if isinstance(name, str) else {}
    if len(found) > 1:
        each = " and ".join(said(what, point) for point in found.values())
        raise ConfigError(f"{each} have the same name: uninstall the one that is not meant")
    return next(iter(found.values()), None)


def loaded(what: str, point: EntryPoint) -> Any:
    """What an entry point names, imported.

    Parameters
    ----------
    what : is added, in words: "family", "load frame"

    Raises
    ------
    ConfigError
        If it cannot be imported.
    """
    try:
        return point.load()
    except Exception as error:
        raise ConfigError(f"{said(what, point)} cannot be imported: {_told(error)}; mend or uninstall it") from error


def made_by(what: str, point: EntryPoint, seam: type, *given: Any, **options: Any) -> Any:
    """What an entry point makes of what it is given.

    Parameters
    ----------
    seam : the protocol that it has to offer

    Raises
    ------
    ConfigError
        If it cannot be imported or called so, fails, or makes something that lacks what the protocol asks for.
    ToughoptError
        What it raises on purpose.
    """
    make: Callable[..., Any] = loaded(what, point)
    if not callable(make):
        raise ConfigError(f"{said(what, point)} is a {type(make).__name__}, which cannot be called to make one")
    try:
        made = make(*given, **options)
    except ToughoptError:
        raise
    except Exception as error:
        raise ConfigError(f"{said(what, point)} cannot be used: {_told(error)}") from error
    if lacking := [name for name in _members(seam) if not hasattr(made, name)]:
        raise ConfigError(
            f"{said(what, point)} made a {type(made).__name__}, which lacks what a {seam.__name__} has: "
            f"{', '.join(lacking)}"
        )
    return made


def said(what: str, point: EntryPoint) -> str:
    """The part in words, with the place of its code and the package that it came with."""
    package = getattr(getattr(point, "dist", None), "name", None)
    return f"{what} {point.name!r} ({point.value}{f' of the package {package}' if package else ''})"


def called(what: str, part: Any) -> str:
    """A part that was made in words, with the class that it is of: "policy 'mine' (my_package.mine.Mine)"."""
    kind = type(part)
    return f"{what} {part.name!r} ({kind.__module__}.{kind.__qualname__})"


def foreign(part: object) -> bool:
    """Whether a part, or the class of one, is not of toughopt itself."""
    kind = part if isinstance(part, type) else type(part)
    return kind.__module__.partition(".")[0] != "toughopt"


@contextmanager
def blamed(what: str, part: object, *, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """What goes wrong in a part of another package is told as that part's.

    Parameters
    ----------
    what : the part, and what it was asked for, in words: "policy 'mine' (my_package) could not choose"
    but : what it may raise beside toughopt's own errors

    Raises
    ------
    ExtensionError
        In place of what the part did not raise on purpose; toughopt's own parts raise what they raise.
    """
    meant: tuple[type[Exception], ...] = (ToughoptError, *but)
    try:
        yield
    except meant:
        raise
    except Exception as error:
        if not foreign(part):
            raise
        raise ExtensionError(f"{what}: {_told(error)}{_place(error, part)}") from error


def _members(seam: type) -> list[str]:
    named = {name for base in seam.__mro__ for name in inspect.get_annotations(base)}
    return sorted(name for name in named | set(dir(seam)) if not name.startswith("_"))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _place(error: Exception, part: object) -> str:
    """Where in the part's own package it went wrong, as far as it went through there."""
    home = (part if isinstance(part, type) else type(part)).__module__.partition(".")[0]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] == home:
            return f" ({frame.f_code.co_filename}, line {line})"
    return ""
