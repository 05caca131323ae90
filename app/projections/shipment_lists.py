"""Shipments, and goods on their way between plants, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.store.logistics_tables import Shipment, ShipmentLine, TransitLine

LINES_MOST = 200
"""Of one shipment in a list; one by itself has all."""


class ShipmentState(StrEnum):
    """``shipped``: it has left, for somebody else or with nothing by which its arrival is known; of what goes to an own
    plant it is known line by line whether it has come."""

    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    VOID = "void"


@dataclass(frozen=True)
class ShipmentFilter:
    """None is any."""

    plant: str | None = None
    delivery_id: str | None = None
    ship_to: str | None = None
    to_plant: str | None = None
    item: str | None = None
    lot: str | None = None
    sscc: str | None = None
    message_id: int | None = None
    in_transit: bool = False
    void: bool = False

    @property
    def lines(self) -> list[ColumnElement[bool]]:
        named = ((ShipmentLine.item, self.item), (ShipmentLine.lot, self.lot), (ShipmentLine.sscc, self.sscc))
        return [column == value for column, value in named if value is not None]


@dataclass(frozen=True)
class ShipmentPicture:
    """``is_whole``: whether ``lines`` are all of it."""

    shipment: Shipment
    lines: Sequence[ShipmentLine] = field(default_factory=tuple)
    is_whole: bool = True

    @property
    def state(self) -> ShipmentState:
        if self.shipment.void_at is not None:
            return ShipmentState.VOID
        if self.shipment.on_way:
            return ShipmentState.IN_TRANSIT
        return ShipmentState.SHIPPED if self.shipment.arrived_at is None else ShipmentState.ARRIVED


@dataclass(frozen=True)
class TransitFilter:
    from_plant: str | None = None
    to_plant: str | None = None
    item: str | None = None
    lot: str | None = None


def list_shipments(
    session: Session, chosen: ShipmentFilter, limit: int, before: int | None = None
) -> list[ShipmentPicture]:
    """Those that were entered last come first."""
    if chosen.lines:
        # By the lines' own index: a shipment with several of them comes once.
        ids: Any = select(ShipmentLine.shipment_id).where(*chosen.lines).distinct()
        ids = ids.join(Shipment, Shipment.id == ShipmentLine.shipment_id).where(*_conditions(chosen))
        if before is not None:
            ids = ids.where(ShipmentLine.shipment_id < before)
        found = list(session.scalars(ids.order_by(ShipmentLine.shipment_id.desc()).limit(limit)))
        query = select(Shipment).where(Shipment.id.in_(found))
    else:
        query = select(Shipment).where(*_conditions(chosen)).limit(limit)
        query = query if before is None else query.where(Shipment.id < before)
    shipments = session.scalars(query.order_by(Shipment.id.desc())).all()
    lines = _first_lines(session, [shipment.id for shipment in shipments])
    return [ShipmentPicture(one, lines[one.id][:LINES_MOST], len(lines[one.id]) <= LINES_MOST) for one in shipments]


def find_shipment(session: Session, shipment_id: int) -> tuple[ShipmentPicture, Sequence[TransitLine]] | None:
    """One shipment with all of its lines, and what is known of their way to an own plant."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        return None
    of_it = (TransitLine.message_id == shipment.message_id, TransitLine.event_index == shipment.event_index)
    query = select(TransitLine).where(*of_it).order_by(TransitLine.line, TransitLine.id)
    void = TransitLine.void_at.is_(None) if shipment.void_at is None else TransitLine.void_at == shipment.void_at
    return ShipmentPicture(shipment, _lines_of(session, shipment_id)), session.scalars(query.where(void)).all()


def list_transits(
    session: Session, chosen: TransitFilter, limit: int, before: int | None = None
) -> Sequence[TransitLine]:
    """What is under way, what was entered last first."""
    wanted = (
        (TransitLine.from_plant, chosen.from_plant),
        (TransitLine.to_plant, chosen.to_plant),
        (TransitLine.item, chosen.item),
        (TransitLine.lot, chosen.lot),
    )
    query = select(TransitLine).where(TransitLine.is_on_way.expression)
    query = query.where(*(column == value for column, value in wanted if value is not None))
    if before is not None:
        query = query.where(TransitLine.id < before)
    return session.scalars(query.order_by(TransitLine.id.desc()).limit(limit)).all()


def _conditions(chosen: ShipmentFilter) -> list[ColumnElement[bool]]:
    wanted = (
        (Shipment.plant, chosen.plant),
        (Shipment.delivery_id, chosen.delivery_id),
        (Shipment.ship_to, chosen.ship_to),
        (Shipment.to_plant, chosen.to_plant),
        (Shipment.message_id, chosen.message_id),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if chosen.in_transit:
        conditions.append(Shipment.on_way.expression)
    if not chosen.void:
        conditions.append(Shipment.void_at.is_(None))
    return conditions


def _first_lines(session: Session, shipment_ids: Sequence[int]) -> dict[int, list[ShipmentLine]]:
    """One more than are shown of each, so that it is known whether there are more."""
    found: dict[int, list[ShipmentLine]] = defaultdict(list)
    of_them = (ShipmentLine.shipment_id.in_(shipment_ids), ShipmentLine.number <= LINES_MOST + 1)
    query = select(ShipmentLine).where(*of_them).order_by(ShipmentLine.shipment_id, ShipmentLine.number)
    for line in session.scalars(query) if shipment_ids else ():
        found[line.shipment_id].append(line)
    return found


def _lines_of(session: Session, shipment_id: int) -> Sequence[ShipmentLine]:
    query = select(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id).order_by(ShipmentLine.number)
    return session.scalars(query).all()
