"""Stock and movements as pages, API and commands tell them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.projections.availability import on_hold
from app.projections.effects import BEHIND_MOST, Behind, behind
from app.projections.reservation_lists import kept_besides_needs
from app.projections.stock_lists import total
from app.store.availability_tables import OrderNeed
from app.store.ledger_tables import ItemStock, Movement, Stock
from mappings.units import plain


def told_items(session: Session, rows: Sequence[ItemStock]) -> list[dict[str, Any]]:
    """What there is of each, and how much of it may be used."""
    held, kept = on_hold(session, rows), kept_besides_needs(session, rows)
    keys = [(row.plant, row.item, row.uom) for row in rows]
    return [
        _told_item(row, held.get(key, Decimal(0)), kept.get(key, Decimal(0)))
        for row, key in zip(rows, keys, strict=True)
    ]


def _told_item(sums: ItemStock, held: Decimal, kept: Decimal) -> dict[str, Any]:
    """``kept``: by reservations, besides what their orders need."""
    reserved = sums.reserved + kept
    return {
        "plant": sums.plant,
        "item": sums.item,
        "uom": sums.uom,
        "on_hand": plain(total(sums)),
        "unrestricted": plain(sums.unrestricted),
        "quality": plain(sums.quality),
        "blocked": plain(sums.blocked),
        "on_hold": plain(held),
        "reserved": plain(reserved),
        "available": plain(sums.unrestricted - held - reserved),
        "in_transit": plain(sums.in_transit),
        "on_order": plain(sums.on_order),
    }


def told_place(stock: Stock) -> dict[str, Any]:
    """What no event named is null."""
    return {
        "plant": stock.plant,
        "item": stock.item,
        "storage": stock.storage or None,
        "lot": stock.lot or None,
        "serial": stock.serial or None,
        "status": stock.status,
        "quantity": {"value": plain(stock.quantity), "uom": stock.uom},
        "moved_at": stock.moved_at,
    }


def told_movement(movement: Movement, stock: Stock) -> dict[str, Any]:
    return {
        "id": movement.id,
        "message_id": movement.message_id,
        "event_index": movement.event_index,
        "kind": movement.kind,
        **{name: value for name, value in told_place(stock).items() if name not in ("quantity", "moved_at")},
        "quantity": {"value": plain(movement.quantity), "uom": stock.uom},
        "counted": None if movement.counted is None else {"value": plain(movement.counted), "uom": stock.uom},
        "order_id": movement.order_id,
        "document": movement.document,
        "reason": movement.reason,
        "happened_at": movement.happened_at,
        "entered_at": movement.entered_at,
        "void_at": movement.void_at,
    }


def told_need(need: OrderNeed) -> dict[str, Any]:
    return {
        "plant": need.plant,
        "order_id": need.order_id,
        "item": need.item,
        "quantity": {"value": plain(need.quantity), "uom": need.uom},
    }


def told_behind(session: Session) -> dict[str, Any]:
    """How far what is told here is behind what took effect."""
    return behind_told(behind(session))


def behind_told(found: Behind) -> dict[str, Any]:
    return {
        "messages": found.messages,
        "is_more": found.messages >= BEHIND_MOST,
        "since": found.since,
        "faults": found.faults,
    }
