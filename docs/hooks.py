"""Tables in the documentation that come from the code: mkdocs fills them in as it builds the site.

    python docs/hooks.py     fills them in where they are, for those who read the files

A test compares what stands in the files with the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_MARK = re.compile(r"^<!-- table: ([a-z ]+) -->\n(?:.*?^<!-- end of table -->\n)?", re.M | re.S)
_NAMES = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "true or false",
    "null": "nothing",
}
_SIGNS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with its tables: what follows a line `<!-- table: NAME -->` is made anew."""
    return _MARK.sub(_filled, markdown)


def _filled(mark: re.Match[str]) -> str:
    rows = re.sub(r"\n{3,}", "\n\n", "\n".join(_TABLES[mark[1]]())).strip()
    return f"<!-- table: {mark[1]} -->\n\n{rows}\n\n<!-- end of table -->\n"


def _campaign() -> Iterator[str]:
    from toughopt.cli.schema import schema_of

    yield from _keys(schema_of("campaign"), "")


def _printer() -> Iterator[str]:
    from toughopt.cli.schema import schema_of

    yield from _keys(schema_of("printer"), "")


def _devices() -> Iterator[str]:
    from toughopt.frames.kinds import FRAMES, HANDLERS, SCALES

    for section, kinds in (("frame", FRAMES), ("scale", SCALES), ("handler", HANDLERS)):
        for kind, model in kinds.items():
            schema = model.model_json_schema()
            schema["properties"].pop("kind", None)
            yield f'\n**`[{section}]`, `kind = "{kind}"`**\n'
            yield from _rows(schema, schema)
            yield from _inside(schema, schema, section)


def _inside(model: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    """A table for each table inside a device's."""
    for key, value in model["properties"].items():
        inner, _ = _model_of(value, schema.get("$defs", {}))
        if inner is not None:
            yield f"\n`[{path}.{key}]` in it:\n"
            yield from _rows(inner, schema)
            yield from _inside(inner, schema, f"{path}.{key}")


def _policies() -> Iterator[str]:
    from toughopt.optimizer import available_policies
    from toughopt.optimizer.policies import meaning, unusual_settings

    yield from ("| policy | what it does | settings that differ from the common ones |", "| --- | --- | --- |")
    for name in available_policies():
        settings = ", ".join(f"{key} = {value}" for key, value in unusual_settings(name).items())
        yield f"| `{name}` | {meaning(name)} | {settings} |"


def _keys(schema: dict[str, Any], path: str) -> Iterator[str]:
    """A table for the keys of one model, then one for each table inside it."""
    if path:
        yield f"\n## [{path}]\n"
    yield from _rows(schema, schema)
    definitions = schema.get("$defs", {})
    pending = [(path, schema)]
    while pending:
        path, model = pending.pop(0)
        for key, value in model.get("properties", {}).items():
            inner, many = _model_of(value, definitions)
            if inner is None:
                continue
            name = f"{path}.{key}" if path else key
            yield f"\n## {'[[' if many else '['}{name}{']]' if many else ']'}\n"
            yield f"{value.get('description', '')}\n"
            yield from _rows(inner, schema)
            pending.append((name, inner))


def _rows(model: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    definitions = schema.get("$defs", {})
    simple = {k: v for k, v in model.get("properties", {}).items() if _model_of(v, definitions)[0] is None}
    if not simple:
        return
    told = any(value.get("description") for value in simple.values())
    yield from (
        "| key | takes | default |" + (" meaning |" if told else ""),
        "| --- | --- | --- |" + (" --- |" if told else ""),
    )
    required = set(model.get("required", []))
    for key, value in simple.items():
        default = "needed" if key in required else _code(_shown(value.get("default"))) if "default" in value else ""
        meaning = f" {value.get('description', '')} |" if told else ""
        yield f"| `{key}` | {_takes(value, definitions)} | {default} |{meaning}"


def _model_of(value: dict[str, Any], definitions: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The table that a key holds, and whether it holds many."""
    options = [value, *value.get("allOf", []), *value.get("anyOf", [])]
    for option in options:
        for part, many in (
            (option, False),
            (option.get("items", {}), True),
            (option.get("additionalProperties"), False),
        ):
            if isinstance(part, dict) and "$ref" in part:
                found = definitions[part["$ref"].rsplit("/", 1)[-1]]
                if "properties" in found:
                    return found, many
    return None, False


def _takes(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in value:
        return _takes(definitions[value["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in value:
        parts = [_takes(part, definitions) for part in value["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(parts))
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        if "prefixItems" in value:
            return f"{len(value['prefixItems'])} x {_takes(value['prefixItems'][0], definitions)}"
        return f"list of {_takes(value.get('items', {}), definitions)}"
    if value.get("type") == "object":
        return "table"
    limits = " ".join(f"{word} {value[sign]:g}" for sign, word in _SIGNS if sign in value)
    return " ".join(filter(None, (_NAMES.get(value.get("type", ""), "anything"), limits)))


def _code(text: str) -> str:
    """`text` as code, also where a table or HTML would take a part of it for its own."""
    if not set("|<") & set(text):
        return f"`{text}`"
    return "<code>" + re.sub(r"[^\w \"=.,+]|_", lambda sign: f"&#{ord(sign[0])};", text) + "</code>"


def _shown(value: Any) -> str:
    import json

    return "not given" if value is None else json.dumps(value)


_TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "campaign keys": _campaign,
    "printer keys": _printer,
    "device keys": _devices,
    "policies": _policies,
}


def main() -> None:
    """Fill in the tables of every page."""
    for page in sorted(Path(__file__).parent.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (filled := on_page_markdown(text)) != text:
            page.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
