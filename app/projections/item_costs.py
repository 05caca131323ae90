"""What a piece of an item costs. The one place that says so: whatever puts a value on a quantity asks here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.reference_tables import Item


@dataclass(frozen=True)
class UnitCost:
    """``amount`` of ``currency`` (ISO 4217) for one of the item's base unit ``uom``."""

    amount: Decimal
    currency: str
    uom: str


def unit_costs(session: Session, items: Collection[str]) -> dict[str, UnitCost]:
    """Of those of these items whose standard cost some system told. What has none has no value, and whoever shows
    values says so instead of guessing."""
    query = select(Item.code, Item.standard_cost, Item.currency, Item.base_uom)
    found = session.execute(query.where(Item.code.in_(sorted(items)))) if items else ()
    return {
        row.code: UnitCost(row.standard_cost, row.currency, row.base_uom)
        for row in found
        if row.standard_cost is not None and row.currency
    }
