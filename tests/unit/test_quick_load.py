"""The quick way through a schema says what marshmallow says, of good data and of bad."""

from __future__ import annotations

import copy
import importlib
import pkgutil
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import INCLUDE, Schema, ValidationError, fields, post_load, validates_schema

import mappings.inbound
from mappings.canonical.fields import Code
from mappings.canonical.registry import SCHEMAS
from mappings.inbound.payload import Payload
from mappings.quick_load import quick_load
from tests.unit.test_canonical_events import FULL, SMALLEST, TIME

pytestmark = pytest.mark.slow

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**19),
    st.decimals(-5, 5, places=2),
    st.sampled_from(["", " ", "A", "1", "EA", "2026-01-01T08:00:00Z", "x" * 300, "a\nb", Decimal("NaN"), 1.5]),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([{}]),
)


def outcome(load: Any, data: Any) -> Any:
    """What was loaded, or each fault."""
    try:
        return load(data)
    except ValidationError as error:
        return error.normalized_messages()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from places(inner, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    place = data
    for step in path[:-1]:
        place = place[step]
    if path:
        place[path[-1]] = value
        return data
    return value


def inbound_schemas() -> list[type[Payload]]:
    """Every schema of a source's payload that any mapping has."""
    for module in pkgutil.walk_packages(mappings.inbound.__path__, "mappings.inbound."):
        importlib.import_module(module.name)
    found, waiting = [], [Payload]
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        found += below
    return sorted(set(found), key=lambda one: (one.__module__, one.__qualname__))


@pytest.mark.parametrize("event_type", sorted(SCHEMAS))
def test_a_whole_event_is_loaded_alike(event_type: str) -> None:
    schema = SCHEMAS[event_type]()
    for data in (SMALLEST[event_type], SMALLEST[event_type] | FULL):
        event = {"event_time": TIME, **data}

        assert outcome(lambda data: quick_load(schema, data), event) == outcome(schema.load, event)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_an_event_with_any_value_in_any_place_is_loaded_or_refused_alike(data: Any) -> None:
    event_type = data.draw(st.sampled_from(sorted(SCHEMAS)))
    schema = SCHEMAS[event_type]()
    event = {"event_time": TIME, **SMALLEST[event_type]}
    path = data.draw(st.sampled_from(list(places(event))))
    event = changed(event, path, data.draw(VALUES))
    if isinstance(event, dict) and data.draw(st.booleans()):
        event["more"] = 1

    assert outcome(lambda one: quick_load(schema, one), event) == outcome(schema.load, event)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_source_is_loaded_or_refused_alike(data: Any) -> None:
    schema = data.draw(st.sampled_from(inbound_schemas()))()
    names = [field.data_key or name for name, field in schema.load_fields.items()]
    payload = data.draw(st.dictionaries(st.sampled_from([*names, "more"]), VALUES, max_size=8)) if names else {}

    assert outcome(lambda one: quick_load(schema, one), payload) == outcome(schema.load, payload)


class Doubled(Schema):
    """What the quick way does not know: it is left to marshmallow."""

    code = Code(required=True, data_key="Code", attribute="name")
    number = fields.Integer(load_default=7)

    class Meta:
        unknown = INCLUDE

    @validates_schema
    def _not_seven(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("number") == 8:
            raise ValidationError("is eight", "number")

    @post_load
    def _double(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"number": data["number"] * 2}


@pytest.mark.parametrize("data", [{"Code": "A"}, {"Code": "A", "number": 8}, {"number": "x"}, {"Code": "A", "b": 1}, 5])
def test_a_schema_with_hooks_of_its_own_is_loaded_alike(data: Any) -> None:
    schema = Doubled()

    assert outcome(lambda one: quick_load(schema, one), data) == outcome(schema.load, data)


def test_the_quick_way_is_taken_for_every_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise every event would be read twice, and nobody would notice but by its cost."""

    def load(self: Schema, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{type(self).__name__} was loaded by marshmallow")

    monkeypatch.setattr(Schema, "load", load)

    for event_type, data in SMALLEST.items():
        assert quick_load(SCHEMAS[event_type](), {"event_time": TIME, **data})
