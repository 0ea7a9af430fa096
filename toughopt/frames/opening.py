"""Machines by name: what a configuration says, checked, and turned into a frame, a scale or a pair of hands."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from toughopt.errors import ConfigError, UnknownName
from toughopt.extensions import loaded, made_by, named
from toughopt.frames.base import Handler, LoadFrame, Scale
from toughopt.frames.guard import FrameGuard
from toughopt.frames.kinds import FRAMES, HANDLERS, SCALES
from toughopt.frames.prompts import Ask, console_ask

_SEAMS: Mapping[str, type] = {"toughopt.frames": LoadFrame, "toughopt.scales": Scale, "toughopt.handlers": Handler}


def open_frame(options: Mapping[str, Any], *, guard: FrameGuard | None = None, ask: Ask = console_ask) -> LoadFrame:
    """The load frame that `options` describe: `kind`, and what that kind needs.

    Parameters
    ----------
    options : kind = "watched_folder", "mark10", "load_cell", "operator", or an entry point `toughopt.frames`
    guard : what is known of the plates, shared with the handler; made from `options["confirm"]` where not given
    ask : how a person is asked; at the terminal by default

    Raises
    ------
    UnknownName
        If there is no such kind.
    ConfigError
        If an option is missing, unknown or out of range, or another package's machine is none.
    DeviceError
        If the machine does not answer.
    """
    return cast(LoadFrame, _open("load frame", "toughopt.frames", FRAMES, options, guard, ask))


def open_scale(options: Mapping[str, Any], *, ask: Ask = console_ask) -> Scale:
    """The scale that `options` describe: kind = "sartorius", "serial", "operator", or an entry point `toughopt.scales`.

    Raises what `open_frame` raises.
    """
    return cast(Scale, _open("scale", "toughopt.scales", SCALES, options, None, ask))


def open_handler(options: Mapping[str, Any], *, guard: FrameGuard | None = None, ask: Ask = console_ask) -> Handler:
    """The hands that `options` describe: kind = "operator", "command", or an entry point `toughopt.handlers`.

    Where `options` hold an `eye` with a `command`, that program is asked after each movement whether it is seen to be
    done. `guard` is that of the frame (`frame.guard`): hands record on it what lies on the plate. Raises what
    `open_frame` raises.
    """
    return cast(Handler, _open("handler", "toughopt.handlers", HANDLERS, options, guard, ask))


def check_options(part: Literal["frame", "scale", "handler"], options: Mapping[str, Any]) -> None:
    """Whether there is what `options` describe, without opening anything; those of other packages are imported only.

    Raises
    ------
    UnknownName
        If there is no such kind.
    ConfigError
        If an option is missing, unknown or out of range, or another package's part cannot be imported.
    """
    what, group, shipped = {
        "frame": ("load frame", "toughopt.frames", FRAMES),
        "scale": ("scale", "toughopt.scales", SCALES),
        "handler": ("handler", "toughopt.handlers", HANDLERS),
    }[part]
    kind = str(options.get("kind", ""))
    if kind in shipped:
        _validated(what, shipped[kind], options)
    else:
        loaded(what, _point(what, group, kind, shipped))


def _open(
    what: str,
    group: str,
    shipped: Mapping[str, type[Any]],
    options: Mapping[str, Any],
    guard: FrameGuard | None,
    ask: Ask,
) -> object:
    kind = str(options.get("kind", ""))
    if kind in shipped:
        return _validated(what, shipped[kind], options).build(guard, ask)
    return made_by(what, _point(what, group, kind, shipped), _SEAMS[group], dict(options), guard=guard, ask=ask)


def _validated(what: str, model: type[Any], options: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        kind = options["kind"]
        told = "; ".join(_explained(problem, model) for problem in error.errors())
        raise ConfigError(f"{what} of kind {kind!r}: {told}") from error


def _explained(problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(all of it)"
    if problem["type"] == "missing":
        return f"{key} is needed"
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        near = get_close_matches(key, model.model_fields, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(model.model_fields)}"
        return f"{key} is not known; {known}"
    return f"{key}: {problem['msg']} (it says {problem['input']!r})"


def _point(what: str, group: str, kind: str, shipped: Mapping[str, type[Any]]) -> EntryPoint:
    points = entry_points(group=group)
    point = named(what, kind, points)
    if point is None:
        raise UnknownName(what, kind, [*shipped, *(point.name for point in points)])
    return point
