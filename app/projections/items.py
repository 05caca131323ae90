"""Items as the system of record describes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.reference_tables import Item
from mappings.context import ItemFacts


def load_items(session: Session, codes: Collection[str]) -> dict[str, ItemFacts]:
    """The items that are known among ``codes``."""
    facts: dict[str, ItemFacts] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        query = select(Item.code, Item.description, Item.base_uom, Item.units).where(
            Item.code.in_(wanted[start : start + 500])
        )
        for row in session.execute(query):
            units = {unit: Decimal(factor) for unit, factor in row.units.items()}
            facts[row.code] = ItemFacts(row.code, row.description, row.base_uom, units)
    return facts


def save_items(session: Session, items: Iterable[Mapping[str, Any]], system: str, now: datetime) -> list[str]:
    """Store item master data (``{code, description, base_uom, units}``); returns the codes that are new."""
    rows = {
        item["code"]: {
            "code": item["code"],
            "description": item.get("description") or item["code"],
            "base_uom": item["base_uom"],
            "units": {unit: str(factor) for unit, factor in (item.get("units") or {}).items()},
            "system": system,
            "updated_at": now,
        }
        for item in items
    }
    if not rows:
        return []
    new = sorted(rows.keys() - load_items(session, list(rows)).keys())
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(Item)
    replaced = ("description", "base_uom", "units", "system", "updated_at")
    statement = statement.on_conflict_do_update(
        index_elements=["code"], set_={name: statement.excluded[name] for name in replaced}
    )
    session.connection().execute(statement, list(rows.values()))
    return new


def item_reference(code: str) -> str:
    """What a message waits for when this item is unknown."""
    return f"item:{code}"
