"""What a piece of an item costs. The one place that says so: whatever puts a value on a quantity asks here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class UnitCost:
    """``amount`` of ``currency`` (ISO 4217) for one of the item's base unit ``uom``."""

    amount: Decimal
    currency: str
    uom: str


def unit_costs(session: Session, items: Collection[str]) -> dict[str, UnitCost]:
    """The costs that are known among these items. None is: no canonical event and no reading of master data tells a
    cost. What has none has no value, and whoever shows values says so instead of guessing."""
    return {}
