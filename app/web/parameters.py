"""Read what a query says, with a clear word about what it cannot say."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from flask import request

from app.inbox.states import State
from app.web.problems import FieldError, Problem

ID_MOST = 2**63 - 1
DAY_LEAST, DAY_MOST = date(2000, 1, 1), date(2999, 12, 31)


def _refuse(name: str, reason: str) -> Problem:
    return Problem(422, "refused", f"Query parameter {name} {reason}.", [FieldError(reason, place=f"query {name}")])


def whole_number(query: Mapping[str, str], name: str, most: int = ID_MOST) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise _refuse(name, f"must be a whole number from 1 to {most}")
    return int(text)


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    """An instant; one without an offset, as a browser's date field sends it, is in UTC."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refuse(name, "must be an instant such as 2026-01-01T08:00:00Z") from None


def day(query: Mapping[str, str], name: str) -> date | None:
    """A day of a calendar."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise _refuse(name, "must be a day such as 2026-01-31") from None
    if not DAY_LEAST <= read <= DAY_MOST:
        raise _refuse(name, "must be a day such as 2026-01-31")
    return read


def words(query: Mapping[str, str], name: str, known: Collection[str] | None = None) -> list[str]:
    """Words parted by commas; ``known`` are the only ones allowed."""
    found = [word.strip() for word in query.get(name, "").split(",") if word.strip()]
    for word in found:
        if known is not None and word not in known:
            raise _refuse(name, f"knows only {', '.join(sorted(known))}")
    return found


def word(query: Mapping[str, str], name: str, known: Collection[str]) -> str | None:
    """The one of these that is named."""
    found = words(query, name, known)
    if len(found) > 1:
        raise _refuse(name, "takes one value")
    return found[0] if found else None


def states(query: Mapping[str, str]) -> list[str]:
    return words(query, "state", {state.value for state in State})


def next_page(before: int | None) -> str | None:
    """The current list, continued below this id; None at its end."""
    if before is None:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "before"]
    return f"{request.path}?{urlencode([*kept, ('before', str(before))])}"


def next_after(key: Sequence[str]) -> str:
    """The current list, continued behind the row with this key."""
    behind = base64.urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).decode().rstrip("=")
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
    return f"{request.path}?{urlencode([*kept, ('after', behind)])}"


def after(query: Mapping[str, str], parts: int) -> list[str] | None:
    """The key, of so many parts, that ``next_after`` has put into the address."""
    given = query.get("after", "").strip()
    if not given:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (ValueError, RecursionError):
        key = None
    if not (isinstance(key, list) and len(key) == parts and all(isinstance(p, str) and "\0" not in p for p in key)):
        raise _refuse("after", "must be as `next` has it")
    try:
        "".join(key).encode()
    except UnicodeEncodeError:
        raise _refuse("after", "must be as `next` has it") from None
    return key


def after_numbers(query: Mapping[str, str]) -> tuple[int, int] | None:
    """The same of two whole numbers."""
    key = after(query, 2)
    if key is None:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in key):
        raise _refuse("after", "must be as `next` has it")
    points, place = (int(part) for part in key)
    if max(points, place) > ID_MOST:
        raise _refuse("after", "must be as `next` has it")
    return points, place


def is_set(query: Mapping[str, str], name: str) -> bool:
    found = query.get(name, "").strip().lower()
    if found not in ("", "true", "false"):
        raise _refuse(name, "must be true or false")
    return found == "true"


def named(code: str) -> str:
    """A code out of the address; what no code can be names nothing."""
    if len(code) > 200 or not code.isprintable():
        raise Problem(404, "not_found", "There is no such thing.")
    return code


def text(query: Mapping[str, str], name: str, bound: int = 200) -> str | None:
    value = query.get(name, "").strip()
    if len(value) > bound or not value.isprintable():
        raise _refuse(name, f"must have at most {bound} printable characters")
    return value or None
