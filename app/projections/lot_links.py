"""Which lots became which: the links between lots that production orders make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.projections.upsert import upsert
from app.store.key_sets import among
from app.store.order_progress_tables import TransformationLot

IN, OUT = "in", "out"
CHUNK = 200


@dataclass(frozen=True, order=True)
class LinkKey:
    plant: str
    transformation: str
    direction: str
    item: str
    lot: str
    uom: str


@dataclass(frozen=True)
class Link:
    """So much of a lot more, or less, in a transformation."""

    key: LinkKey
    quantity: Decimal
    order_id: str


_KEY = (
    TransformationLot.plant,
    TransformationLot.transformation,
    TransformationLot.direction,
    TransformationLot.item,
    TransformationLot.lot,
    TransformationLot.uom,
)


def add_links(session: Session, links: Sequence[Link]) -> None:
    """Add these to what is linked; the caller holds the right to change the projections."""
    gains: dict[LinkKey, Decimal] = defaultdict(Decimal)
    orders: dict[LinkKey, str] = {}
    for link in links:
        gains[link.key] += link.quantity
        orders[link.key] = link.order_id
    keys = sorted(gains)
    were: dict[tuple[Any, ...], Decimal] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = [astuple(key) for key in keys[start : start + CHUNK]]
        query = select(*_KEY, TransformationLot.quantity).where(among(_KEY, chunk))
        were |= {tuple(row)[:6]: row.quantity for row in session.execute(query)}
    names = [column.key for column in _KEY]
    rows = [
        {
            **dict(zip(names, astuple(key), strict=True)),
            "quantity": gains[key] + were.get(astuple(key), Decimal(0)),
            "order_id": orders[key],
        }
        for key in keys
    ]
    upsert(session, TransformationLot, names, ("quantity",), rows)
