"""Lots and their genealogy as pages, API and commands tell them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.projections.lot_accounts import items_of_lot
from app.projections.lot_lists import LotPicture
from app.projections.lot_trace import Direction, FoundGap, Trace, TracedLink, TracedLot, trace
from app.web.holds import told_hold
from app.web.problems import FieldError, Problem
from mappings.units import plain

GAPS = {
    "completion_without_issue": "Nothing was issued for {it}.",
    "issue_without_lot": "{it} was issued without its lot.",
    "issue_of_unknown_lot": "{it} was used, and nobody told where it came from.",
    "more_taken_than_came": "More of {it} was taken than ever came.",
}


def trace_lot(session: Session, lot: str, item: str | None, direction: Direction, most: int) -> Trace:
    """The genealogy. Raises Problem where nobody told of the lot, or several items have one of this name."""
    return trace(session, item_of_lot(session, lot, item), lot, direction, most)


def item_of_lot(session: Session, lot: str, item: str | None) -> str:
    """The item that the lot is of. Raises Problem as above."""
    items = items_of_lot(session, lot)
    if item is not None and item in items:
        return item
    if item is not None or not items:
        of_item = f" of item {item}" if item is not None else ""
        raise Problem(404, "not_found", f"No message has told of lot {lot}{of_item} yet.")
    if len(items) > 1:
        told = f"Lot {lot} is known of several items: {', '.join(items[:20])}. Name the item."
        raise Problem(422, "refused", told, [FieldError("is missing", place="query item")])
    return items[0]


def told_lot(one: LotPicture) -> dict[str, Any]:
    """``on_hand`` by unit: an item whose base unit changed has stock in each."""
    on_hand: dict[str, Decimal] = {}
    for place in one.places:
        on_hand[place.uom] = on_hand.get(place.uom, Decimal(0)) + place.quantity
    return {
        "lot": one.lot,
        "item": one.item,
        "on_hand": [{"value": plain(amount), "uom": uom} for uom, amount in sorted(on_hand.items())],
        "places": [
            {
                "plant": place.plant,
                "storage": place.storage or None,
                "status": place.status,
                "quantity": {"value": plain(place.quantity), "uom": place.uom},
            }
            for place in one.places
        ],
        "is_whole": one.is_whole,
        "holds": [told_hold(hold) for hold in one.holds],
        "suppliers": list(one.suppliers),
        "customers": list(one.customers),
    }


def told_trace(found: Trace, direction: Direction) -> dict[str, Any]:
    return {
        "direction": direction.value,
        "is_whole": found.is_whole,
        "lots": [_told_lot(one) for one in found.lots],
        "links": [_told_link(one) for one in found.links],
        "gaps": [told_gap(one) for one in found.gaps],
    }


def _told_lot(one: TracedLot) -> dict[str, Any]:
    return {
        "item": one.item,
        "lot": one.lot,
        "depth": one.depth,
        "uom": one.uom,
        "plants": list(one.plants),
        "came": _told_amounts(one.came),
        "went": _told_amounts(one.went),
        "on_hand": plain(one.on_hand),
        "receipts": list(one.documents.get("received", ())),
        "shipments": list(one.documents.get("shipped", ())),
        "suppliers": list(one.suppliers),
        "customers": list(one.customers),
        "holds": [told_hold(hold) for hold in one.holds],
    }


def _told_amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {kind: plain(amount) for kind, amount in sorted(amounts.items())}


def _told_link(one: TracedLink) -> dict[str, Any]:
    return {
        "plant": one.plant,
        "transformation": one.transformation,
        "order_id": one.order_id,
        "direction": one.direction,
        "item": one.item,
        "lot": one.lot,
        "quantity": {"value": plain(one.quantity), "uom": one.uom},
    }


def told_gap(one: FoundGap) -> dict[str, Any]:
    told = GAPS[one.kind.value].format(it=f"lot {one.lot} of item {one.item}" if one.lot else f"item {one.item}")
    return {
        "kind": one.kind.value,
        "item": one.item,
        "lot": one.lot,
        "plant": one.plant,
        "transformation": one.transformation,
        "order_id": one.order_id,
        "quantity": None if one.quantity is None else plain(one.quantity),
        "told": told[0].upper() + told[1:],
    }
