"""What a change of a contract would break, by comparing its JSON Schema with the last released one.

An event is written by some and read by others, so both count: who sends by the released contract must still be
accepted, and who reads by it must still find all that it promised, and nothing else in its place. What is left is to
add a field that may be missing, and to change descriptions. Anything else is a new version of the type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_SAID_FOR_PEOPLE = frozenset({"title", "description", "$schema"})
_COMPARED_BELOW = frozenset({"properties", "required", "items"})


def breaking_changes(released: Schema, present: Schema, path: str = "") -> Iterator[str]:
    """Each change that breaks a sender or a reader, as a sentence with the place (``outputs[].quantity``)."""
    place = path or "the data"
    keys = (released.keys() | present.keys()) - _SAID_FOR_PEOPLE - _COMPARED_BELOW
    for key in sorted(keys):
        if released.get(key) != present.get(key):
            yield f"{place}: {key} was {_told(released.get(key))} and is {_told(present.get(key))}"
    yield from _required(released, present, path)
    for name, before in sorted(released.get("properties", {}).items()):
        now = present.get("properties", {}).get(name)
        if now is None:
            yield f"{_below(path, name)} is gone"
        else:
            yield from breaking_changes(before, now, _below(path, name))
    if "items" in released or "items" in present:
        yield from breaking_changes(released.get("items", {}), present.get("items", {}), f"{path}[]")


def _required(released: Schema, present: Schema, path: str) -> Iterator[str]:
    before, now = set(released.get("required", ())), set(present.get("required", ()))
    for name in sorted(now - before):
        yield f"{_below(path, name)} must be there now, and senders may leave it out"
    for name in sorted((before - now) & present.get("properties", {}).keys()):
        yield f"{_below(path, name)} may be missing now, and readers count on it"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _told(value: Any) -> str:
    return "not there" if value is None else repr(value)
