"""The words around a part: start, end and change programs, written as Jinja2 templates, one folder a firmware."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, UnknownName
from toughopt.resources import gcode_templates

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Environment, Template

NAMES = ("start", "end", "layer_change", "tool_change", "end_heat_and_release", "end_cool_and_wait")
SUFFIX = ".gcode.j2"
# A line goes out as "N123456 <command>*255" and must fit into the 96 bytes of a firmware's line buffer.
LONGEST_COMMAND = 95 - len("N9999999 ") - len("*255")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class TemplateFolder:
    """The templates of one firmware or machine; a user's own folder is searched before the shipped ones.

    A template that a folder lacks is taken from the folder of its firmware, so that a machine's own folder needs to
    hold only what differs.
    """

    def __init__(self, folder: str, firmware: str, own: Path | None = None) -> None:
        """Find the folder called `folder`.

        Raises
        ------
        UnknownName
            If neither `own` nor the shipped templates have a folder of that name.
        """
        roots: list[Traversable] = [*([own] if own is not None and own.is_dir() else []), gcode_templates()]
        known = sorted({entry.name for root in roots for entry in root.iterdir() if _is_folder(entry)})
        if folder not in known:
            raise UnknownName("folder of G-code templates", folder, known)
        names = dict.fromkeys((folder, firmware))
        self._places = [root / name for name in names for root in roots if (root / name).is_dir()]
        self._found: dict[str, tuple[Template, str, str]] = {}

    def render(self, name: str, variables: Mapping[str, Any]) -> tuple[str, ...]:
        """Lines of the template `name` with `variables` put in; blank lines are dropped.

        Raises
        ------
        UnknownName
            If there is no template of that name.
        ConfigError
            If the template is malformed, names an unknown variable, or yields a line that no firmware can take in.
        """
        template, source, origin = self._template(name)
        text = _rendered(template, source, origin, variables)
        lines = tuple(line.rstrip() for line in text.splitlines() if line.strip())
        for line in lines:
            command = line.partition(";")[0].strip()
            if len(command) > LONGEST_COMMAND:
                raise ConfigError(
                    f"{origin}: the line {command!r} has {len(command)} characters; a firmware takes at most "
                    f"{LONGEST_COMMAND} beside line number and checksum; split it"
                )
        return lines

    def _source(self, name: str) -> tuple[str, str]:
        for place in self._places:
            file = place / f"{name}{SUFFIX}"
            if file.is_file():
                try:
                    return file.read_text(encoding="utf-8"), f"{place.name}/{file.name}"
                except (OSError, UnicodeDecodeError) as error:
                    raise ConfigError(f"{file}: cannot be read: {error}; save it as UTF-8 text") from error
        raise UnknownName("G-code template", name, self._available())

    def _available(self) -> Iterable[str]:
        return {
            entry.name.removesuffix(SUFFIX)
            for place in self._places
            for entry in place.iterdir()
            if entry.name.endswith(SUFFIX)
        }

    def _template(self, name: str) -> tuple[Template, str, str]:
        """The compiled template, its source and where it came from."""
        if name not in self._found:
            from jinja2 import TemplateSyntaxError

            source, origin = self._source(name)
            try:
                self._found[name] = _compiled(source), source, origin
            except TemplateSyntaxError as error:
                raise ConfigError(f"{origin}, line {error.lineno}: {error.message}") from error
        return self._found[name]


@cache
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)


@lru_cache(maxsize=64)  # compiling takes longer than all that a program does with the template
def _compiled(source: str) -> Template:
    return _environment().from_string(source)


def _rendered(template: Template, source: str, origin: str, variables: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError, UndefinedError

    try:
        return template.render(variables)
    except UndefinedError as error:
        raise ConfigError(_unknown_variable(origin, source, error, variables)) from error
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise ConfigError(f"{origin}, line {_line_of(error)}: {error}") from error


def _is_folder(entry: Traversable) -> bool:
    return entry.is_dir() and not entry.name.startswith(("_", "."))


def _unknown_variable(origin: str, source: str, error: Exception, variables: Mapping[str, Any]) -> str:
    found = _UNDEFINED.search(str(error))
    if not found:
        return f"{origin}, line {_line_of(error)}: {error}"
    name = found.group(1)
    lines = [number for number, line in enumerate(source.splitlines(), 1) if re.search(rf"\b{name}\b", line)]
    near = get_close_matches(name, variables, n=3, cutoff=0.5)
    hint = f"the nearest are {', '.join(near)}" if near else f"known: {', '.join(sorted(variables))}"
    return f"{origin}, line {_line_of(error) or (lines or [1])[0]}: there is no variable {name!r}; {hint}"


def _line_of(error: BaseException) -> int:
    """The template's line in which `error` arose, 0 where it cannot be told."""
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
