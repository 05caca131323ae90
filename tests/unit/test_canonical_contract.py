"""What the canonical contract accepts, normalises and refuses, whatever the type."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.canonical.contract import ContractError, Fault
from mappings.canonical.registry import SCHEMAS
from mappings.context import Event
from mappings.units import Quantity

COUNTED = {"event_time": "2026-01-01T08:00:00Z", "item": "TUBE-1", "counted": {"value": "1", "uom": "EA"}}


def counted(value: Any) -> dict[str, Any]:
    return {**COUNTED, "counted": {"value": value, "uom": "EA"}}


def faults(event_type: str, data: Any) -> list[Fault]:
    with pytest.raises(ContractError) as caught:
        contract.validate(event_type, data)
    assert caught.value.code == "contract_violated"
    return caught.value.faults


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12.50", "12.5"),
        ("0012", "12"),
        ("-0", "0"),
        (12, "12"),
        (Decimal("12.5"), "12.5"),
        (Decimal("1E+3"), "1000"),
        ("1e3", "1000"),
        ("999999999999999999.999999999", "999999999999999999.999999999"),
        (Decimal("0E+999999"), "0"),
        ("100", "100"),
    ],
)
def test_an_amount_becomes_plain_digits(value: Any, text: str) -> None:
    assert contract.validate("inventory.counted.v1", counted(value))["counted"] == {"value": text, "uom": "EA"}


@pytest.mark.parametrize(
    "value",
    [
        *[
            "NaN",
            "Infinity",
            "-1",
            "1_000",
            " 1",
            "1,5",
            "",
            "٣",
            "1e400",
            "1e-10",
            "1234567890123456789",
            "0.1234567891",
        ],
        *[Decimal("NaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999")],
        *[10**5000, True, None, [], {}],
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else "whole number",
)
def test_an_amount_that_is_no_bounded_finite_number_is_refused(value: Any) -> None:
    assert [fault.path for fault in faults("inventory.counted.v1", counted(value))] == ["counted.value"]


def test_a_binary_float_is_refused_with_the_mend() -> None:
    assert faults("inventory.counted.v1", counted(0.1)) == [
        Fault("counted.value", "is a binary float; send the decimal as a string")
    ]


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("2026-01-01T09:00:00+01:00", "2026-01-01T08:00:00Z"),
        ("2026-01-01t08:00:00z", "2026-01-01T08:00:00Z"),
        ("2026-01-01T08:00:00.3149559Z", "2026-01-01T08:00:00.314955Z"),
        ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00Z"),
    ],
)
def test_an_instant_is_brought_to_utc(text: str, normalised: str) -> None:
    assert contract.validate("inventory.counted.v1", {**COUNTED, "event_time": text})["event_time"] == normalised


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T08:00:00",
        "2026-01-01",
        "2026-02-30T08:00:00Z",
        "2026-01-01T24:00:01Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "2026-01-01T08:00:60Z",
        "2026-W01-1T08:00:00Z",
        "",
        0,
        None,
        "2026-01-01T08:00:00Z\n",
    ],
)
def test_what_is_no_instant_is_refused(text: Any) -> None:
    assert [fault.path for fault in faults("inventory.counted.v1", {**COUNTED, "event_time": text})] == ["event_time"]


@pytest.mark.parametrize("code", ["", " A", "A ", "A\n", "A\x00", "\ud800", "x" * 81, 7, None, "\u200b"])
def test_a_code_that_could_not_be_compared_or_stored_is_refused(code: Any) -> None:
    assert [fault.path for fault in faults("inventory.counted.v1", {**COUNTED, "item": code})] == ["item"]


def test_every_fault_is_named_with_its_path() -> None:
    data = {
        "event_time": "yesterday",
        "order_id": "1",
        "outputs": [{"item": "A", "quantity": {"value": "1", "uom": "EA"}}, {"quantity": {"value": "0", "uom": ""}}],
        "colour": "red",
    }

    paths = [fault.path for fault in faults("production.completed.v1", data)]

    assert sorted(paths) == [
        "colour",
        "event_time",
        "outputs[1].item",
        "outputs[1].quantity.uom",
        "outputs[1].quantity.value",
    ]


def test_the_number_of_named_faults_is_bounded() -> None:
    assert len(faults("inventory.counted.v1", {f"field{number}": 1 for number in range(500)})) == contract.FAULT_BOUND


@pytest.mark.parametrize("data", [None, [], "text", 7, b"bytes"])
def test_data_that_are_no_object_are_refused(data: Any) -> None:
    assert faults("inventory.counted.v1", data) == [Fault("", "must be an object")]


def test_a_type_without_a_contract_is_refused() -> None:
    assert not contract.is_canonical("production.completed.v2")
    assert faults("production.completed.v2", COUNTED)[0].path == ""


def test_a_list_beyond_its_bound_is_refused_before_its_members_are_read() -> None:
    data = {"event_time": "2026-01-01T08:00:00Z", "order_id": "1", "outputs": [None] * 1001}

    assert faults("production.completed.v1", data) == [Fault("outputs", "must have 0 to 1000 members, has 1001")]


EVENT = Event(
    "material.issued.v1",
    {
        "event_time": "2026-01-01T08:00:00.5Z",
        "order_id": "1000123",
        "lot": "L1",
        "item": "BIKE-100",
        "components": [{"item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}}],
    },
)


def test_the_order_goes_before_the_lot_as_ordering_key() -> None:
    by_lot = Event(EVENT.type, {"lot": "L1"})

    assert contract.ordering_key(EVENT) == "order:1000123"
    assert contract.ordering_key(by_lot) == "lot:L1"
    assert contract.ordering_key(Event(EVENT.type, {})) is None


def test_what_an_event_refers_to_is_told() -> None:
    assert contract.event_time(EVENT) == datetime(2026, 1, 1, 8, 0, 0, 500_000, tzinfo=UTC)
    assert contract.needed_order(EVENT) == "1000123"
    assert contract.referenced_items(EVENT) == {"BIKE-100", "WHEEL-10"}
    assert contract.quantities(EVENT) == [
        contract.Amount("WHEEL-10", Quantity(Decimal(2), "EA"), "components[0].quantity")
    ]


def test_an_items_own_change_needs_no_item() -> None:
    changed = Event("item.changed.v1", {"item": "NEW-1", "quantity": {"value": "1", "uom": "EA"}})

    assert contract.referenced_items(changed) == set()
    assert contract.quantities(changed) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELD_NAMES = sorted({field.data_key or name for schema in SCHEMAS.values() for name, field in schema().fields.items()})


@given(
    event_type=st.sampled_from(sorted(SCHEMAS)),
    data=JSON_VALUES | st.dictionaries(st.sampled_from(FIELD_NAMES), JSON_VALUES, max_size=12),
)
def test_any_data_are_validated_or_refused_with_a_place(event_type: str, data: Any) -> None:
    with pytest.raises(ContractError) as caught:
        contract.validate(event_type, data)

    assert caught.value.faults
    assert all(fault.message for fault in caught.value.faults)


@pytest.mark.parametrize("event_type", sorted(SCHEMAS))
def test_every_contract_is_published_as_valid_json_schema(event_type: str) -> None:
    schema = contract.json_schema(event_type)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == event_type
    assert schema["description"]
