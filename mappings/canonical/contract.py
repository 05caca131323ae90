"""What the rest of Lineside asks about canonical events, whatever their type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError

from mappings.canonical.json_schema import json_schema_of
from mappings.canonical.registry import SCHEMAS
from mappings.context import Event, MappingError
from mappings.quick_load import quick_load
from mappings.units import Quantity, quantity

FAULT_BOUND = 50
_ORDER_NEEDED = frozenset({"production.completed.v1", "production.scrapped.v1", "material.issued.v1"})
# What an event of these types tells as a whole: an older one that comes late has nothing to add.
_TELLS = {"item.changed.v1": ("item", "item"), "bom.changed.v1": ("bom", "item")}
_TELLS |= {"production.order.released.v1": ("order", "order_id")}
_TELLS |= {"purchase.order.placed.v1": ("purchase_order", "purchase_order")}
_BRINGS_STOCK = frozenset(
    {
        "production.completed.v1",
        "material.issued.v1",
        "receipt.recorded.v1",
        "inventory.moved.v1",
        "inventory.adjusted.v1",
        "inventory.counted.v1",
        "quality.released.v1",
    }
)
_LINES = ("outputs", "components", "materials", "lines")
_AMOUNTS = ("quantity", "delta", "counted", "book", "received", "accepted", "rejected")


@dataclass(frozen=True)
class Fault:
    """``path`` is the place in the data (``outputs[0].quantity.value``), empty for the data as a whole."""

    path: str
    message: str


class ContractError(MappingError):
    """The data break the contract of their type; every fault is named, up to a bound."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        told = "; ".join(f"{fault.path or 'data'} {fault.message}" for fault in faults[:3])
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        super().__init__("contract_violated", told + more, (faults[0].path or None) if faults else None)
        self.faults = list(faults)


def is_canonical(event_type: str) -> bool:
    return event_type in SCHEMAS


def validate(event_type: str, data: Any) -> dict[str, Any]:
    """The data in normalised wire form; raises ContractError where they break the contract of the type."""
    if event_type not in SCHEMAS:
        raise ContractError([Fault("", f"of type {event_type[:80]!r} have no contract; see the list of types")])
    if not isinstance(data, Mapping):
        raise ContractError([Fault("", "must be an object")])
    try:
        return quick_load(_schema(event_type), data)
    except ValidationError as error:
        raise ContractError(_faults(error)) from None


def json_schema(event_type: str) -> dict[str, Any]:
    """The contract of a type for publication; raises KeyError for a type that is not canonical."""
    return json_schema_of(event_type, _schema(event_type))


@cache
def _schema(event_type: str) -> Schema:
    return SCHEMAS[event_type]()


def _faults(error: ValidationError) -> list[Fault]:
    faults: list[Fault] = []
    for fault in walk_faults(error.messages):
        faults.append(fault)
        if len(faults) == FAULT_BOUND:
            break
    return faults


def first_fault(messages: Any) -> Fault:
    """The first of a schema's error messages, for callers that tell one fault at a time."""
    return next(walk_faults(messages), Fault("", "is invalid"))


def walk_faults(messages: Any, path: str = "") -> Iterator[Fault]:
    """A schema's nested error messages as faults, one at a time."""
    if not isinstance(messages, Mapping):
        for message in messages if isinstance(messages, list) else [messages]:
            yield Fault(path, str(message))
        return
    for key, inner in messages.items():
        yield from walk_faults(inner, _step(path, key))


def _step(path: str, key: Any) -> str:
    if key == "_schema":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = str(key)[:80]
    return f"{path}.{name}" if path else name


def ordering_key(event: Event) -> str | None:
    """Events with the same key take effect in their order: the production order's or purchase order's, else the lot's.
    What an item is and what it is made of belong to the item, and what becomes of a reservation to the reservation."""
    if event.type in ("item.changed.v1", "bom.changed.v1"):
        return f"item:{event.data['item']}"
    if reservation := event.data.get("reservation_id"):
        return f"reservation:{reservation}"
    if order_id := event.data.get("order_id"):
        return f"order:{order_id}"
    if purchase_order := event.data.get("purchase_order"):
        return f"purchase_order:{purchase_order}"
    if lot := event.data.get("lot"):
        return f"lot:{lot}"
    return None


def event_time(event: Event) -> datetime:
    """When it happened, aware and in UTC."""
    return datetime.fromisoformat(event.data["event_time"])


def document_text(reference: Mapping[str, str]) -> str | None:
    """A document of another system in one text: ``type:id:line``, as far as it is named."""
    return ":".join(reference[name] for name in ("type", "id", "line") if name in reference) or None


def told_thing(event: Event) -> tuple[str, str] | None:
    """What the event tells as a whole, as a kind (item, bom, order) and a code; None where it is one of many that
    count together."""
    kind, field = _TELLS.get(event.type, ("", ""))
    return (kind, event.data[field]) if kind else None


def corrected(event: Event) -> str | None:
    """The id, as its source gave it, of the message that this event re-states."""
    named: str | None = event.data.get("correction_of")
    return named


def needed_order(event: Event) -> str | None:
    """The production order whose release must have been seen before this event can take effect."""
    return event.data["order_id"] if event.type in _ORDER_NEEDED else None


def stocked_items(event: Event) -> set[tuple[str | None, str]]:
    """The items of which the event may bring stock to where it was short, each with the site if another is named."""
    delta = event.data.get("delta", {}).get("value", "")
    if event.type not in _BRINGS_STOCK or delta.startswith("-"):
        return set()
    site = event.data["to"].get("site") if event.type == "inventory.moved.v1" else None
    return {(site, item) for item in referenced_items(event)}


def referenced_items(event: Event) -> set[str]:
    """Every item that must be known for this event to make sense; an item's own change needs none."""
    if event.type == "item.changed.v1":
        return set()
    named = {line["item"] for _, line in _lines(event.data)}
    return named | {event.data["item"]} if "item" in event.data else named


@dataclass(frozen=True)
class Amount:
    """One quantity of an event with the item it counts; ``place`` is where it stands: ``outputs[0].quantity``."""

    item: str
    quantity: Quantity
    place: str


def quantities(event: Event) -> list[Amount]:
    """Every amount in the event, so that units can be checked."""
    found = [_amount(line["item"], line, "quantity", f"{path}.") for path, line in _lines(event.data)]
    item = event.data.get("item")
    if item is None or event.type == "item.changed.v1":
        return found
    found += [_amount(item, event.data, name) for name in _AMOUNTS if name in event.data]
    schedule = enumerate(event.data.get("schedule", ()))
    return found + [_amount(item, line, "quantity", f"schedule[{number}].") for number, line in schedule]


def lines_of(event: Event) -> Iterator[Mapping[str, Any]]:
    """Every line of the event that names an item."""
    return (line for _, line in _lines(event.data))


def _amount(item: str, line: Mapping[str, Any], name: str, path: str = "") -> Amount:
    return Amount(item, quantity(line[name]), path + name)


def _lines(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in _LINES:
        for number, line in enumerate(data.get(name, ())):
            yield f"{name}[{number}]", line
    for box, package in enumerate(data.get("packages", ())):
        for number, line in enumerate(package.get("lines", ())):
            yield f"packages[{box}].lines[{number}]", line
