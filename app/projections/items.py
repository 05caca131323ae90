"""Items as the system of record describes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.prepared import Prepared
from app.store.reference_tables import Item
from mappings.context import ItemFacts

COST_MOST = Decimal(10) ** 18

_ITEM = table_of(Item).c
_ITEMS = Prepared(
    select(_ITEM.code, _ITEM.description, _ITEM.base_uom, _ITEM.units).where(
        _ITEM.code.in_(bindparam("codes", expanding=True))
    )
)


def load_items(session: Session, codes: Collection[str]) -> dict[str, ItemFacts]:
    """The items that are known among ``codes``."""
    facts: dict[str, ItemFacts] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        for row in _ITEMS.rows(session, codes=wanted[start : start + 500]):
            units = {unit: Decimal(factor) for unit, factor in row.units.items()}
            facts[row.code] = ItemFacts(row.code, row.description, row.base_uom, units)
    return facts


def save_items(session: Session, items: Iterable[Mapping[str, Any]], system: str, now: datetime) -> list[str]:
    """Store item master data (``{code, description, base_uom, units, standard_cost: {value, currency}}``); returns the
    codes that are new. Few systems tell a cost: where one tells none, the one that another told stays."""
    rows = {
        item["code"]: {
            "code": item["code"],
            "description": item.get("description") or item["code"],
            "base_uom": item["base_uom"],
            "units": {unit: str(factor) for unit, factor in (item.get("units") or {}).items()},
            **standard_cost(item.get("standard_cost")),
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
    kept = {
        name: func.coalesce(statement.excluded[name], getattr(Item, name)) for name in ("standard_cost", "currency")
    }
    statement = statement.on_conflict_do_update(
        index_elements=["code"], set_={name: statement.excluded[name] for name in replaced} | kept
    )
    session.connection().execute(statement, list(rows.values()))
    return new


def standard_cost(told: Any) -> dict[str, Any]:
    """Of one base unit, and its currency; both None where the cost cannot be read beyond doubt."""
    nothing = {"standard_cost": None, "currency": None}
    if not isinstance(told, Mapping) or not re.fullmatch("[A-Z]{3}", str(told.get("currency"))):
        return nothing
    try:
        value = Decimal(str(told.get("value")))
    except ArithmeticError:
        return nothing
    known = value.is_finite() and 0 <= value < COST_MOST
    return {"standard_cost": value, "currency": told["currency"]} if known else nothing


def item_reference(code: str) -> str:
    """What a message waits for when this item is unknown."""
    return f"item:{code}"
