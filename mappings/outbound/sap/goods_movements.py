"""A canonical event as one material document: its items with their movement types, and the document that undoes it.

Codes of the transaction (GM_CODE, table T158G): 01 receipt of a purchase order, 02 of a production order, 03 issue,
04 transfer, 05 other receipt. Movement types as SAP delivers them. Mapping options: ``locations`` (plants by their
number in SAP), ``units`` (ours and SAP's). Crosswalks: ``units``, ``storages``, ``reasons`` (ours and SAP's MOVE_REAS).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from mappings.context import CORRECT_IT, Event, MappingError, OutboundContext
from mappings.options import REASONS, UNITS
from mappings.outbound.lines import site, stock_storage, storage_code
from mappings.units import plain

_FRACTION_DIGITS, _INTEGER_DIGITS = 3, 10
_TEXT_CHARACTERS = 50
_QUALITY, _BLOCKED = "2", "3"
_REVERSALS = {
    "101": "102",
    "261": "262",
    "301": "302",
    "311": "312",
    "321": "322",
    "322": "321",
    "343": "344",
    "344": "343",
    "349": "350",
    "350": "349",
    "551": "552",
    "701": "702",
    "702": "701",
}
# From one stock state to another; no state is SAP's unrestricted one.
_RESTATED = {
    ("quality", "unrestricted"): "321",
    ("unrestricted", "quality"): "322",
    ("blocked", "unrestricted"): "343",
    ("unrestricted", "blocked"): "344",
    ("blocked", "quality"): "349",
    ("quality", "blocked"): "350",
}
_DIFFERENCES = {"701": "05", "702": "03"}


@dataclass(frozen=True)
class Item:
    """One line of a material document. ``quantity`` is decimal text of at most 10 and 3 digits, ``unit`` SAP's code."""

    material: str
    movement_type: str
    quantity: str
    unit: str
    plant: str
    storage: str = ""
    batch: str = ""
    stock_type: str = ""
    order: str = ""
    purchase_order: str = ""
    purchase_line: str = ""
    to_plant: str = ""
    to_storage: str = ""
    reason: str = ""
    text: str = ""
    is_last: bool = False


@dataclass(frozen=True)
class GoodsMovement:
    """``at`` is the event's moment by the plant's clock; its day is the document's."""

    code: str
    at: datetime
    items: tuple[Item, ...]


def goods_movement(event: Event, context: OutboundContext) -> GoodsMovement | None:
    """The material document of an event; None where SAP's inventory has nothing to book."""
    code, items = _BOOKED[event.type](event.data, context)
    return GoodsMovement(code, local_moment(event, context), tuple(items)) if items else None


def reversal(movement: GoodsMovement) -> GoodsMovement:
    """The document with each item's reversing movement type."""
    items = tuple(replace(item, movement_type=_REVERSALS[item.movement_type], is_last=False) for item in movement.items)
    code = _DIFFERENCES.get(items[0].movement_type, movement.code)
    return GoodsMovement(code, movement.at, items)


def local_moment(event: Event, context: OutboundContext) -> datetime:
    return datetime.fromisoformat(event.data["event_time"]).astimezone(ZoneInfo(context.plant.timezone))


def sap_plant(context: OutboundContext, plant: str | None = None) -> str:
    """The number of a plant in SAP; of the event's own where none is named."""
    own = plant in (None, context.plant.code)
    code = context.plant.code if plant is None else plant
    return str(context.options.get("locations", {}).get(code) or (site(context) if own else code))


def sap_unit(uom: str, context: OutboundContext) -> str:
    """By the target's own table, else by the crosswalk ``units`` where the target uses that."""
    known = context.options.get("units", {})
    return str(known[uom]) if uom in known else context.crosswalks.becomes(UNITS, uom, "uom")


def sap_reason(reason: str, context: OutboundContext) -> str:
    return context.crosswalks.becomes(REASONS, reason, "reason") if REASONS in context.crosswalks.used else ""


def sap_quantity(value: str, place: str) -> str:
    """SAP counts 13 digits, three of them behind the point; raises MappingError where that would round."""
    whole, _, fraction = value.lstrip("-").partition(".")
    if len(fraction) > _FRACTION_DIGITS or len(whole) > _INTEGER_DIGITS:
        told = f"{place} is {value}, and SAP counts {_INTEGER_DIGITS} digits and {_FRACTION_DIGITS} behind the point"
        raise MappingError("quantity_inexact", f"{told}. {CORRECT_IT}", place)
    return f"{whole}.{fraction}" if fraction else whole


def _item(
    line: Mapping[str, Any], movement_type: str, storage: str | None, context: OutboundContext, place: str
) -> Item:
    amount = line["quantity"]
    return Item(
        material=line["item"],
        movement_type=movement_type,
        quantity=sap_quantity(amount["value"], f"{place}quantity"),
        unit=sap_unit(amount["uom"], context),
        plant=sap_plant(context),
        storage=storage or "",
        batch=line.get("lot", ""),
    )


def _completed(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    items = [
        _item(line, "101", stock_storage(data, context, line), context, f"outputs[{number}].")
        for number, line in enumerate(data["outputs"])
    ]
    last = len(items) - 1
    return "02", [
        replace(item, order=data["order_id"], is_last=data["final"] and number == last)
        for number, item in enumerate(items)
    ]


def _issued(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    items = [
        _item(line, "261", stock_storage(data, context, line), context, f"components[{number}].")
        for number, line in enumerate(data["components"])
    ]
    return "03", [replace(item, order=data["order_id"]) for item in items]


def _scrapped(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    item = _item(data, "551", stock_storage(data, context), context, "")
    reason, text = _reason(data, context)
    return "03", [replace(item, order=data["order_id"], reason=reason, text=text)]


def _adjusted(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    movement_type = "702" if data["delta"]["value"].startswith("-") else "701"
    item = _item({**data, "quantity": data["delta"]}, movement_type, stock_storage(data, context), context, "delta.")
    reason, text = _reason(data, context)
    return _DIFFERENCES[movement_type], [replace(item, reason=reason, text=text)]


def _reason(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, str]:
    """SAP's own reason where the target has a crosswalk for them; the words as they came in any case."""
    words = data["reason"]
    return sap_reason(words, context), words[:_TEXT_CHARACTERS]


def _moved(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    """SAP's inventory knows plants, storage locations and three stock states, but no bins."""
    origin, destination = (_end(data[end], context) for end in ("from", "to"))
    states = (data["from"].get("stock_status", "unrestricted"), data["to"].get("stock_status", "unrestricted"))
    if origin == destination and states[0] == states[1]:
        return "04", []
    movement_type = "301" if origin[0] != destination[0] else "311"
    if states[0] != states[1]:
        if origin != destination:
            told = "the stock gets another state and another place at once, which in SAP are two movements"
            raise MappingError("movement_mixed", f"{told}; send one event for each. {CORRECT_IT}", "to")
        movement_type = _RESTATED[states]
    item = _item(data, movement_type, None, context, "")
    (plant, storage), (to_plant, to_storage) = origin, destination
    return "04", [replace(item, plant=plant, storage=storage, to_plant=to_plant, to_storage=to_storage)]


def _end(place: Mapping[str, Any], context: OutboundContext) -> tuple[str, str]:
    own = context.plant.options.get("storage") if place.get("site") in (None, context.plant.code) else None
    return sap_plant(context, place.get("site")), storage_code(place.get("storage") or own, context) or ""


def _received(data: Mapping[str, Any], context: OutboundContext) -> tuple[str, list[Item]]:
    """What is neither accepted nor rejected waits for its inspection, as stock in quality inspection."""
    reference = data["document_ref"]
    if reference["type"] != "purchase_order":
        told = (
            f"the receipt is known by {reference['type']} {reference['id'][:40]}, and SAP books one on a purchase order"
        )
        raise MappingError("document_unsupported", f"{told}. {CORRECT_IT}", "document_ref.type")
    amounts = {name: data[name]["value"] for name in ("received", "accepted", "rejected")}
    waiting = _difference(amounts["received"], amounts["accepted"], amounts["rejected"])
    parts = ((amounts["accepted"], ""), (waiting, _QUALITY), (amounts["rejected"], _BLOCKED))
    storage = stock_storage(data, context)
    return "01", [
        replace(
            _item({**data, "quantity": {**data["received"], "value": value}}, "101", storage, context, ""),
            stock_type=stock_type,
            purchase_order=reference["id"],
            purchase_line=reference.get("line", ""),
        )
        for value, stock_type in parts
        if value != "0"
    ]


def _difference(whole: str, *parts: str) -> str:
    return plain(Decimal(whole) - sum(map(Decimal, parts), Decimal(0)))


_BOOKED: Mapping[str, Callable[[Mapping[str, Any], OutboundContext], tuple[str, list[Item]]]] = {
    "production.completed.v1": _completed,
    "production.scrapped.v1": _scrapped,
    "material.issued.v1": _issued,
    "inventory.moved.v1": _moved,
    "inventory.adjusted.v1": _adjusted,
    "receipt.recorded.v1": _received,
}
