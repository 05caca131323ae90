"""Reading what a target answered: JSON by dotted path, and reasons fit to show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NoReturn

MAX_REASON_CHARACTERS = 500


class _Missing:
    """Stands for a place that an answer does not have, since null may be a value."""


MISSING: Final = _Missing()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def parse_object(body: bytes) -> Any:
    """The JSON value with its decimals kept as text, or MISSING where the bytes are no JSON."""
    try:
        return json.loads(body, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return MISSING


def pick(body: Any, path: str) -> Any:
    """The value at a dotted path (``data.0.id``), or MISSING."""
    for part in path.split("."):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif (
            isinstance(body, list) and part.isdecimal() and part.isascii() and len(part) < 10 and int(part) < len(body)
        ):
            body = body[int(part)]
        else:
            return MISSING
    return body


def renamed(row: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names; a dotted name stands within the one before its dot."""
    found: dict[str, Any] = {}
    for name, path in fields.items():
        *outer, last = name.split(".")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        value = pick(row, path)
        place[last] = None if value is MISSING else value
    return found


def day_of(value: Any) -> date | None:
    """The day that an ISO date or instant begins with; None for anything else."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def is_empty(value: Any) -> bool:
    return value is MISSING or value is None or value in ([], {}, "", 0)


def printable(value: Any) -> str:
    """One line of at most some hundred characters, whatever the other side put there."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= MAX_REASON_CHARACTERS else line[: MAX_REASON_CHARACTERS - 3] + "..."
