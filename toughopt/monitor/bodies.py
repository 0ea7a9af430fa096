"""What comes in with a POST: read up to a limit, and turned into a command's arguments."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

MOST_BYTES = 64 * 1024
MOST_UPLOAD_BYTES = 16 * 1024 * 1024
_MOST_FIELDS = 40
_LONGEST_TEXT = 2000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DESIGN_ITEM = re.compile(r"([A-Za-z_]\w{0,40})\s*=\s*(\S{1,60})")


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was asked for: its arguments, why, the form's own token, and a file that came along."""

    arguments: dict[str, Any]
    why: str = ""
    form_token: str = ""
    from_form: bool = False
    upload: tuple[str, bytes] | None = None
    extras: Mapping[str, str] = field(default_factory=dict)


async def read_order(request: Request) -> Order:
    """The command in a request's body.

    Raises
    ------
    HTTPException
        413 where it is too large, 415 where it is of no known kind, 400 where it cannot be read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(await _body(request, MOST_BYTES))
    if kind == "application/x-www-form-urlencoded":
        return _from_fields(_decoded(await _body(request, MOST_BYTES)))
    if kind == "multipart/form-data":
        return await _from_multipart(request, await _body(request, MOST_UPLOAD_BYTES))
    raise HTTPException(415, "send a form, or JSON with the keys arguments and why")


async def _body(request: Request, limit: int) -> bytes:
    told = request.headers.get("content-length", "0")
    if not told.isdigit() or int(told) > limit:
        raise HTTPException(413, f"a request may hold {limit} bytes")
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, f"a request may hold {limit} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _from_json(body: bytes) -> Order:
    def refuse(text: str) -> float:
        raise ValueError(f"{text} is no number")

    try:
        told = json.loads(body or b"{}", parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"this is not JSON: {error}"[:200]) from error
    if not isinstance(told, dict) or not set(told) <= {"arguments", "why"}:
        raise HTTPException(400, 'send {"arguments": {...}, "why": "..."} and nothing else')
    arguments, why = told.get("arguments", {}), told.get("why", "")
    if not isinstance(arguments, dict) or not isinstance(why, str) or len(arguments) > _MOST_FIELDS:
        raise HTTPException(400, "arguments must be an object, and why a text")
    return Order({name: _checked(name, value) for name, value in arguments.items()}, _text(why))


def _decoded(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400, "this form cannot be read") from error
    return dict(pairs)


def _from_fields(fields: Mapping[str, str], upload: tuple[str, bytes] | None = None) -> Order:
    known = {name: fields[name] for name in ("form_token", "why", "token", "name", "back") if name in fields}
    arguments = {
        name: _checked(name, _from_text(name, text.strip()))
        for name, text in fields.items()
        if name not in known and text.strip()
    }
    return Order(arguments, _text(known.get("why", "")), known.get("form_token", ""), True, upload, known)


async def _from_multipart(request: Request, body: bytes) -> Order:
    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, again).form(max_files=1, max_fields=_MOST_FIELDS)
    except (MultiPartException, HTTPException, UnicodeDecodeError, ValueError, KeyError) as error:
        raise HTTPException(400, "this form cannot be read") from error
    fields: dict[str, str] = {}
    upload = None
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields[name] = value
        elif value.filename:
            bare = PurePosixPath(PureWindowsPath(value.filename).as_posix()).name
            upload = (_text(bare)[:120] or "curve", await value.read())
    await form.close()
    return _from_fields(fields, upload)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise HTTPException(400, f"{value!r} is not a whole number"[:200])
    if abs(value) > 2**53:
        raise HTTPException(400, "this number is too large")
    return value


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise HTTPException(400, f"{value!r} is not a number"[:200])
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise HTTPException(400, f"{value!r} is neither true nor false"[:200])
    return value


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise HTTPException(400, "curve must be the SHA-256 of an artifact of this campaign")
    return value


def _design(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or len(value) > _MOST_FIELDS:
        raise HTTPException(400, "a design is an object of parameters, such as n and theta")
    return {_text(str(name)): _plain(item) for name, item in value.items()}


#: What the arguments that commands share must be.
_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "id": _whole,
    "count": _whole,
    "budget": _whole,
    "value": lambda value: value if value is None else _plain(value),
    "mass_g": _real,
    "target": lambda value: value if value is None else _real(value),
    "low": _real,
    "high": _real,
    "grams": _real,
    "probability": _real,
    "now": _flag,
    "manual": _flag,
    "curve": _hash,
    "design": _design,
}


def _checked(name: Any, value: Any) -> Any:
    return _KINDS.get(name, _plain)(value) if _name(name) else None


def _name(name: Any) -> bool:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise HTTPException(400, f"{str(name)[:60]!r} is not the name of an argument")
    return True


def _plain(value: Any, depth: int = 0) -> Any:
    """A value that a journal may hold: text, numbers, and short lists or objects of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, str):
        return _text(value)
    if depth < 3 and isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if depth < 3 and isinstance(value, dict):
        return {_text(str(name)): _plain(item, depth + 1) for name, item in value.items()}
    raise HTTPException(400, "this argument holds more than a command can use")


def _text(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise HTTPException(400, f"a text may have {_LONGEST_TEXT} characters")
    return "".join(c for c in text if c.isprintable() or c == "\n").encode("utf-8", "replace").decode()


def _from_text(name: str, text: str) -> Any:
    """A form's field as the kind of value that its argument has."""
    if _KINDS.get(name) is _flag:
        return text.lower() in ("on", "true", "yes", "1")
    if name == "design":
        found = dict(_DESIGN_ITEM.findall(text))
        if not found or _DESIGN_ITEM.sub("", text).strip(" ,;\n\r\t"):
            raise HTTPException(400, "a design is written as n=8 theta=100 r=2 t=1")
        return {key: _number_or_text(value.rstrip(",;")) for key, value in found.items()}
    return text if name in ("printer", "curve", "policy", "file_name", "parameter", "key") else _number_or_text(text)


def _number_or_text(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
