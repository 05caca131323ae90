"""Reading what a target answered: JSON by dotted path, reasons fit to show, and Retry-After."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn

MAX_RETRY_AFTER_SECONDS = 86_400.0
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


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header, which gives seconds or an HTTP date; None where it is absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
