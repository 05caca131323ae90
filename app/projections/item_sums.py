"""What is kept beside an item's stock: reserved, in transit, on order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.projections.upsert import upsert
from app.store.key_sets import among
from app.store.ledger_tables import ItemStock

CHUNK = 200
ItemKey = tuple[str, str, str]
"""plant, item, uom"""

_ITEM = (ItemStock.plant, ItemStock.item, ItemStock.uom)
_NAMES = ("plant", "item", "uom")
_SUMS = ("unrestricted", "quality", "blocked", "reserved", "in_transit", "on_order")


def add_to_sums(session: Session, name: str, gains: Mapping[ItemKey, Decimal]) -> None:
    """Add these to this sum of each item; one without a row gets one, so that it is told where none was ever there."""
    keys = sorted(gains)
    column = getattr(ItemStock, name)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        query = select(*_ITEM, column).where(among(_ITEM, chunk))
        were = {(row[0], row[1], row[2]): row[3] for row in session.execute(query)}
        nothing = dict.fromkeys(_SUMS, Decimal(0))
        rows = [
            {**dict(zip(_NAMES, key, strict=True)), **nothing, name: were.get(key, Decimal(0)) + gains[key]}
            for key in chunk
        ]
        upsert(session, ItemStock, _NAMES, (name,), rows)
