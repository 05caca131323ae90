"""Deliveries that have left, entered event by event."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.projections.movements import is_announced
from app.projections.origin import Origin, void_rows
from app.projections.versions import in_base
from app.store.ledger_tables import NOWHERE
from app.store.logistics_tables import Shipment, ShipmentLine
from mappings.canonical import contract
from mappings.context import Event, ItemFacts
from mappings.units import Quantity

SHIPPED = "shipment.confirmed.v1"


@dataclass(frozen=True)
class ShippedLine:
    """``order_ref``: the order that it is for, as its parts are told."""

    sscc: str
    item: str
    amount: Quantity
    lot: str
    serials: Sequence[str]
    order_ref: Mapping[str, str]


@dataclass(frozen=True)
class ShipmentTold:
    """``to_plant``: the own plant that it goes to, empty where it goes to somebody else; ``from_plant``: the own plant
    whose stock it left, empty where it left nobody's that is ours; ``is_told_elsewhere``: the plant that it left tells
    it, this telling is a copy; ``packages``: every SSCC."""

    origin: Origin
    delivery_id: str
    to_plant: str
    from_plant: str
    is_told_elsewhere: bool
    carrier: str | None
    ship_from: str | None
    ship_to: str | None
    packages: Sequence[str]
    lines: Sequence[ShippedLine] = field(default_factory=tuple)

    @property
    def is_on_way(self) -> bool:
        return bool(self.to_plant and not self.is_told_elsewhere)


def shipments_of(
    origin: Origin, event: Event, items: Mapping[str, ItemFacts], context: Mapping[str, Any]
) -> Iterator[ShipmentTold]:
    """The shipment that the event tells; none where it tells another thing.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    if event.type != SHIPPED:
        return
    data = event.data
    packages = data.get("packages", ())
    packed = [(package["sscc"], line) for package in packages for line in package.get("lines", ())]
    loose = [(NOWHERE, line) for line in data.get("lines", ())]
    lines = [
        ShippedLine(
            sscc,
            line["item"],
            in_base(line["item"], line["quantity"], items),
            line.get("lot") or NOWHERE,
            tuple(line.get("serials", ())),
            line.get("order_ref") or {},
        )
        for sscc, line in (*packed, *loose)
    ]
    is_told_to_goal = is_announced(origin.plant, event, context)
    goal = origin.plant if is_told_to_goal else context.get("to_plant")
    sender = context.get("from_plant") if is_told_to_goal else origin.plant
    yield ShipmentTold(
        origin,
        data["delivery_id"],
        goal if goal and goal != sender else NOWHERE,
        sender or NOWHERE,
        is_told_elsewhere=bool(is_told_to_goal and sender),
        carrier=data.get("carrier"),
        ship_from=data.get("ship_from"),
        ship_to=data.get("ship_to"),
        packages=[package["sscc"] for package in packages],
        lines=lines,
    )


def enter_shipments(session: Session, shipments: Sequence[ShipmentTold], now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if not shipments:
        return
    session.connection().execute(insert(Shipment), [_values(one, now) for one in shipments])
    of_them = Shipment.message_id.in_({one.origin.message_id for one in shipments})
    query = select(Shipment.id, Shipment.message_id, Shipment.event_index).where(of_them, Shipment.void_at.is_(None))
    ids = {(row.message_id, row.event_index): row.id for row in session.execute(query)}
    rows = [
        _line(ids[one.origin.message_id, one.origin.event_index], number, line)
        for one in shipments
        for number, line in enumerate(one.lines, start=1)
    ]
    if rows:
        session.connection().execute(insert(ShipmentLine), rows)


def void_shipments(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take the shipments of these messages, which were reversed, back; they stay as void."""
    void_rows(session, Shipment, (Shipment.id,), message_ids, now, on_way=False)


def _values(one: ShipmentTold, now: datetime) -> dict[str, Any]:
    return {
        **one.origin.columns,
        "delivery_id": one.delivery_id,
        "carrier": one.carrier,
        "ship_from": one.ship_from,
        "ship_to": one.ship_to,
        "to_plant": one.to_plant,
        "packages": list(one.packages),
        "entered_at": now,
        "on_way": bool(one.is_on_way and one.lines),
        "arrived_at": None,
        "void_at": None,
    }


def _line(shipment_id: int, number: int, line: ShippedLine) -> dict[str, Any]:
    return {
        "shipment_id": shipment_id,
        "number": number,
        "sscc": line.sscc,
        "item": line.item,
        "uom": line.amount.uom,
        "quantity": line.amount.value,
        "lot": line.lot,
        "serials": list(line.serials),
        "order_ref": contract.document_text(line.order_ref),
    }
