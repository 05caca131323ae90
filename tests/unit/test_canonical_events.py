"""Each canonical type: its smallest and a full event, and the rules between its fields."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.canonical.contract import ContractError
from mappings.canonical.registry import SCHEMAS

TIME = "2026-01-01T08:00:00Z"
ONE = {"value": "1", "uom": "EA"}
NONE = {"value": "0", "uom": "EA"}
LINE = {"item": "WHEEL-10", "lot": "W-1", "sub_lot": "2", "serials": ["S1"], "quantity": ONE}
FULL = {
    "record_time": "2026-01-01T08:00:01Z",
    "location": {"site": "P100", "area": "A", "work_center": "W", "work_unit": "U", "storage": "P100-ST", "bin": "B"},
    "sub_lot": "1",
    "serials": ["S1", "S2"],
    "correction_of": "message-7",
    "note": "two lines\nof text",
}

SMALLEST: dict[str, dict[str, Any]] = {
    "production.order.released.v1": {"order_id": "1", "item": "BIKE-100", "quantity": ONE},
    "production.completed.v1": {"order_id": "1", "outputs": [{"item": "BIKE-100", "quantity": ONE}]},
    "production.scrapped.v1": {"order_id": "1", "item": "BIKE-100", "quantity": ONE, "reason": "S12"},
    "material.issued.v1": {"order_id": "1", "components": [LINE]},
    "inventory.moved.v1": {"item": "A", "quantity": ONE, "from": {"storage": "P100-ST"}, "to": {"storage": "P100-WIP"}},
    "inventory.adjusted.v1": {"item": "A", "delta": {"value": "-2.5", "uom": "KG"}, "reason": "damage"},
    "inventory.counted.v1": {"item": "A", "counted": NONE, "book": {"value": "-1", "uom": "EA"}},
    "inventory.reserved.v1": {"reservation_id": "RS-1", "item": "A", "quantity": ONE, "until": TIME},
    "inventory.reservation.ended.v1": {"reservation_id": "RS-1", "item": "A", "quantity": ONE, "ended": "expired"},
    "receipt.recorded.v1": {
        "document_ref": {"type": "purchase_order", "id": "PO-1", "line": "1"},
        "item": "A",
        "received": ONE,
        "accepted": ONE,
        "rejected": NONE,
    },
    "shipment.confirmed.v1": {"delivery_id": "D-1", "packages": [{"sscc": "340123450000000000", "lines": [LINE]}]},
    "purchase.order.placed.v1": {
        "purchase_order": "4500012",
        "lines": [{"line": "10", "item": "A", "quantity": ONE, "need_by": TIME, "ship_to": "P100"}],
    },
    "quality.held.v1": {"lot": "L1", "status": "blocked", "reason": "crack"},
    "quality.released.v1": {"item": "A", "status": "unrestricted"},
    "equipment.state.changed.v1": {"equipment_id": "WELD-2", "to": "down"},
    "replenishment.requested.v1": {
        "kanban_id": "K1",
        "item": "A",
        "quantity": ONE,
        "supply_to": {"storage": "P100-WIP"},
        "need_by": TIME,
    },
    "item.changed.v1": {"item": "A", "description": "a", "base_uom": "EA", "units": {"BOX": "10"}},
    "bom.changed.v1": {"item": "A", "quantity": ONE, "components": [{"item": "B", "quantity": ONE}]},
    "supply.signalled.v1": {"item": "A", "firmness": "firm", "schedule": [{"due": TIME, "quantity": NONE}]},
}


def event(event_type: str, **changes: Any) -> dict[str, Any]:
    return {"event_time": TIME, **copy.deepcopy(SMALLEST[event_type]), **changes}


def refused_paths(event_type: str, data: dict[str, Any]) -> list[str]:
    with pytest.raises(ContractError) as caught:
        contract.validate(event_type, data)
    return [fault.path for fault in caught.value.faults]


def test_every_type_has_an_example_here() -> None:
    assert set(SMALLEST) == set(SCHEMAS)


@pytest.mark.parametrize("event_type", sorted(SCHEMAS))
def test_the_smallest_and_a_full_event_are_accepted_unchanged(event_type: str) -> None:
    for data in (event(event_type), event(event_type, **FULL)):
        checked = contract.validate(event_type, data)

        assert {**checked, "final": False} == {**data, "final": False}
        assert contract.validate(event_type, checked) == checked
        jsonschema.validate(checked, contract.json_schema(event_type))


@pytest.mark.parametrize("event_type", sorted(SCHEMAS))
def test_every_field_of_the_smallest_event_but_the_optional_is_missed(event_type: str) -> None:
    schema = contract.json_schema(event_type)

    for name in schema["required"]:
        data = event(event_type)
        data.pop(name)

        assert name in refused_paths(event_type, data)


@pytest.mark.parametrize(
    ("event_type", "changes", "path"),
    [
        ("production.order.released.v1", {"start": "2026-01-02T00:00:00Z", "end": TIME}, "end"),
        ("production.order.released.v1", {"quantity": NONE}, "quantity.value"),
        ("production.completed.v1", {"outputs": []}, "outputs"),
        ("production.completed.v1", {"final": "true"}, "final"),
        ("production.completed.v1", {"final": 1}, "final"),
        ("material.issued.v1", {"components": []}, "components"),
        ("inventory.moved.v1", {"to": {"storage": "P100-ST"}}, "to"),
        ("inventory.moved.v1", {"from": {}}, "from"),
        ("inventory.moved.v1", {"to": {"stock_status": "lost"}}, "to.stock_status"),
        ("inventory.adjusted.v1", {"delta": NONE}, "delta"),
        ("inventory.counted.v1", {"book": {"value": "1", "uom": "KG"}}, "book"),
        ("receipt.recorded.v1", {"rejected": ONE}, "received"),
        ("receipt.recorded.v1", {"rejected": {"value": "0", "uom": "KG"}}, "received"),
        ("shipment.confirmed.v1", {"packages": [{"sscc": "340123450000000001"}]}, "packages[0].sscc"),
        ("shipment.confirmed.v1", {"packages": [{"sscc": "340123450000000000"}] * 2}, "packages"),
        ("shipment.confirmed.v1", {"packages": []}, "packages"),
        ("purchase.order.placed.v1", {"lines": []}, "lines"),
        ("purchase.order.placed.v1", {"lines": [{"line": "1", "item": "A", "quantity": ONE}] * 2}, "lines"),
        ("quality.held.v1", {"lot": "L1", "status": "unrestricted"}, "status"),
        ("replenishment.requested.v1", {"supply_to": {}}, "supply_to"),
        ("item.changed.v1", {"units": {"EA": "2"}}, "units"),
        ("item.changed.v1", {"units": {f"U{number}": "2" for number in range(51)}}, "units"),
        ("item.changed.v1", {"units": {"BOX": "0"}}, "units.BOX.value"),
        ("bom.changed.v1", {"components": [{"item": "A", "quantity": ONE}]}, "components"),
        ("supply.signalled.v1", {"firmness": "maybe"}, "firmness"),
    ],
)
def test_a_broken_rule_is_told_at_its_field(event_type: str, changes: dict[str, Any], path: str) -> None:
    assert path in refused_paths(event_type, event(event_type, **changes))


def test_a_last_report_may_be_without_outputs() -> None:
    checked = contract.validate("production.completed.v1", event("production.completed.v1", outputs=[], final=True))

    assert checked["final"] is True


def test_quality_says_what_it_is_about() -> None:
    data = {"event_time": TIME, "status": "unrestricted"}

    assert refused_paths("quality.released.v1", data) == ["item"]


def test_the_amounts_of_every_type_are_found() -> None:
    found = {event_type: len(contract.quantities(contract_event(event_type))) for event_type in SMALLEST}

    assert found == {
        "production.order.released.v1": 1,
        "production.completed.v1": 1,
        "production.scrapped.v1": 1,
        "material.issued.v1": 1,
        "inventory.moved.v1": 1,
        "inventory.adjusted.v1": 1,
        "inventory.counted.v1": 2,
        "inventory.reserved.v1": 1,
        "inventory.reservation.ended.v1": 1,
        "receipt.recorded.v1": 3,
        "shipment.confirmed.v1": 1,
        "purchase.order.placed.v1": 1,
        "quality.held.v1": 0,
        "quality.released.v1": 0,
        "equipment.state.changed.v1": 0,
        "replenishment.requested.v1": 1,
        "item.changed.v1": 0,
        "bom.changed.v1": 2,
        "supply.signalled.v1": 1,
    }


def contract_event(event_type: str) -> Any:
    return contract.Event(event_type, contract.validate(event_type, event(event_type)))


AMOUNTS = st.decimals("0.000000001", "999999999999999999", places=9).map(lambda value: str(Decimal(value)))


@given(
    event_type=st.sampled_from(["production.completed.v1", "material.issued.v1", "production.scrapped.v1"]),
    amounts=st.lists(AMOUNTS, min_size=1, max_size=5),
    minutes=st.integers(-720, 840),
)
def test_validating_twice_is_validating_once(event_type: str, amounts: list[str], minutes: int) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    lines = [{"item": "A", "quantity": {"value": amount, "uom": "EA"}} for amount in amounts]
    data = event(event_type, event_time=f"2026-01-01T08:00:00{offset}")
    data |= {name: lines for name in ("outputs", "components") if name in data}

    once = contract.validate(event_type, data)

    assert contract.validate(event_type, once) == once
    for line, amount in zip(once.get("outputs", once.get("components", [])), amounts, strict=False):
        assert Decimal(line["quantity"]["value"]) == Decimal(amount)
