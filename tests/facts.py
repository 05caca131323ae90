"""Events of logistics, and what the projections make of them, as several tests use them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.inbox.accept import Incoming
from app.projections.projector import project
from app.store.ledger_tables import ItemStock
from app.store.logistics_tables import PurchaseLine, Shipment, TransitLine
from app.store.session import Store
from app.store.version_tables import EquipmentState, ToldVersion
from mappings.units import plain
from tests.factories import NOON, accept, incoming, pipeline, run_once
from tests.fakes import Books

AT = "2026-03-02T09:00:00Z"


def ea(value: str, uom: str = "EA") -> dict[str, str]:
    return {"value": value, "uom": uom}


def ordered(message_id: str, *lines: tuple[str, str, str], code: str = "45", at: str = AT, **data: Any) -> Incoming:
    """A purchase order of these lines: line, item, quantity."""
    told = [{"line": line, "item": item, "quantity": ea(value)} for line, item, value in lines]
    body = {"event_time": at, "purchase_order": code, "supplier": "S-1", "lines": told}
    return incoming(message_id, "purchase.order.placed.v1", body | data)


def received(
    message_id: str,
    value: str,
    line: str | None = "1",
    *,
    rejected: str = "0",
    code: str = "45",
    kind: str = "purchase_order",
    item: str = "WHEEL-10",
    at: str = AT,
    plant: str = "P100",
    uom: str = "EA",
    **data: Any,
) -> Incoming:
    accepted = plain(Decimal(value) - Decimal(rejected))
    reference = {"type": kind, "id": code} | ({"line": line} if line else {})
    body: Mapping[str, Any] = {"event_time": at, "document_ref": reference, "item": item, **data}
    amounts = {"received": ea(value, uom), "accepted": ea(accepted, uom), "rejected": ea(rejected, uom)}
    return incoming(message_id, "receipt.recorded.v1", {**body, **amounts}, plant=plant)


def shipped(message_id: str, value: str, delivery: str = "D1", at: str = AT, **data: Any) -> Incoming:
    """To plant P200, unless another ``ship_to`` is named."""
    line = {"item": "WHEEL-10", "quantity": ea(value)} | data.pop("line", {})
    body = {"event_time": at, "delivery_id": delivery, "ship_to": "P200", "lines": [line]}
    return incoming(message_id, "shipment.confirmed.v1", body | data)


def state(message_id: str, to: str, at: str, equipment: str = "PRESS-1", **data: Any) -> Incoming:
    body = {"event_time": at, "equipment_id": equipment, "to": to}
    return incoming(message_id, "equipment.state.changed.v1", body | data)


def post(store: Store, *messages: Incoming) -> list[int]:
    """Accept them, work until nothing is due, and enter what took effect."""
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    for plant in sorted({message.plant for message in messages}):
        run_once(line, plant)
        run_once(line, plant)
    enter_all(store)
    return ids


def enter_all(store: Store) -> None:
    assert not project(store, lambda: NOON, 30.0).goes_on


def purchase_lines(store: Store) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Ordered, received, rejected and open by purchase order and line."""
    with store.reading() as session:
        rows = session.execute(select(PurchaseLine)).scalars().all()
        return {
            (row.purchase_order, row.line): (
                plain(row.ordered),
                plain(row.received),
                plain(row.rejected),
                plain(row.open),
            )
            for row in rows
        }


def item_sums(store: Store, name: str) -> dict[tuple[str, str], str]:
    """This sum by plant and item, where it is not zero."""
    with store.reading() as session:
        rows = session.execute(select(ItemStock)).scalars().all()
        return {(row.plant, row.item): plain(getattr(row, name)) for row in rows if getattr(row, name)}


def on_way(store: Store) -> dict[str, tuple[str, str, str]]:
    """What is under way by delivery: from, to and how much."""
    with store.reading() as session:
        rows = session.execute(select(TransitLine).where(TransitLine.is_on_way)).scalars().all()
        return {row.delivery_key: (row.from_plant, row.to_plant, plain(row.on_way)) for row in rows}


def facts_told(store: Store) -> list[str]:
    """All that is kept of facts and sums, without row ids and times of entering."""
    tables = (PurchaseLine, ItemStock, TransitLine, EquipmentState, ToldVersion, Shipment)
    told: list[str] = []
    with store.reading() as session:
        for table in tables:
            columns = [one for one in table.__table__.c if one.name not in ("id", "entered_at", "void_at")]
            query = select(*columns)
            if "void_at" in table.__table__.c:
                query = query.where(table.__table__.c.void_at.is_(None))
            rows = [_plain(row) for row in session.execute(query)]
            # A row of sums that are all zero is what was there once.
            told += sorted(
                f"{table.__tablename__} {row}" for row in rows if table is not ItemStock or any_but_zero(row)
            )
    return told


def any_but_zero(row: list[Any]) -> bool:
    return any(value != "0" for value in row[3:])


def _plain(row: Any) -> list[Any]:
    return [plain(value) if isinstance(value, Decimal) else value for value in row]
