"""JSON as it came, without the losses of a lenient reader."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from mappings.context import Deviations, MappingError

MAX_DEPTH = 64
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"|(-?Infinity|NaN)')


def read(body: bytes, deviations: Deviations | None = None) -> Any:
    """The value of a JSON text in UTF-8, numbers with a point as Decimal.

    A byte order mark is a deviation (RFC 8259, section 8.1: it must not be added).

    Refused, with the place where one can be named: other encodings, keys that occur twice (readers disagree which one
    counts), NaN and Infinity, more than 64 levels, and whatever is no JSON.
    """
    text = _decoded(body)
    if deviations is not None and body.startswith(codecs.BOM_UTF8):
        deviations.allow("json_mark", "the JSON text begins with a byte order mark", "byte 0")
    try:
        value = json.loads(
            text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_object_of_unique_keys
        )
    except json.JSONDecodeError as error:
        raise MappingError("json_invalid", f"the body is not JSON: {error.msg}.", _place(text, error.pos)) from None
    except _Constant as error:
        told = f"{error} is no JSON number; leave the field out or send a decimal string."
        raise MappingError("json_number", told, _place(text, _first_constant(text))) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise MappingError("json_number", "the body holds a whole number of more than 4,300 digits.") from None
    _check_depth(body, value)
    _check_characters(body, value)
    return value


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MappingError(
            "encoding_invalid",
            f"byte 0x{body[error.start]:02x} is not UTF-8; JSON is sent in UTF-8.",
            f"byte {error.start}",
        ) from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise MappingError("json_number", f"the number {text[:40]} has an exponent out of all bounds.") from None


class _Constant(Exception):
    """NaN or an infinity, of which the reader does not say where it stands."""


def _refuse_constant(text: str) -> NoReturn:
    raise _Constant(text)


def _first_constant(text: str) -> int:
    return next(found.start(1) for found in _STRING_OR_CONSTANT.finditer(text) if found[1])


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"line {line} column {position - text.rfind(chr(10), 0, position)}"


def _object_of_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise MappingError("json_duplicate_key", f"the key {key[:80]!r} occurs twice in one object.", key[:80])
            seen.add(key)
    return value


def _check_depth(body: bytes, value: Any) -> None:
    """Few brackets cannot nest deeply, so an ordinary message is not walked at all."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _members(outer)]
        if not level:
            return
    raise _too_deep()


def _members(value: Any) -> Iterator[Any]:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (member for member in members if isinstance(member, dict | list))


def _too_deep() -> MappingError:
    return MappingError("json_too_deep", f"the body nests deeper than {MAX_DEPTH} levels.")


def _check_characters(body: bytes, value: Any) -> None:
    """An escape may name half a character, which no database and no answer could hold."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise MappingError("encoding_invalid", "the body holds half a character (a lone \\ud800 escape).") from None
