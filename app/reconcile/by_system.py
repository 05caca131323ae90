"""What each system last said that it has of items, beside what the ledger says, now and as of then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.projections.items import load_items
from app.projections.stock_lists import total
from app.reconcile.keys import Level, Measure
from app.store.key_sets import among
from app.store.ledger_tables import ItemStock, Movement, Stock
from app.store.reconcile_tables import Snapshot, SnapshotRow
from config.topology import Topology

MOVEMENTS_MOST = 50_000
"""Movements since a snapshot that are added up for one page at most; where there are more, what the ledger said then is
not told."""

PlantItem = tuple[str, str]
"""plant, item"""


@dataclass(frozen=True)
class SystemSaid:
    """``quantity``: in the item's base unit; None where the snapshot lists none of it, or in a unit that the item has
    not. ``ledger_then``: what the ledger says was there when it was taken, None where that is too far back."""

    system: str
    snapshot_id: int
    taken_at: datetime
    quantity: Decimal | None
    ledger_then: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        if self.quantity is None or self.ledger_then is None:
            return None
        return self.quantity - self.ledger_then


@dataclass(frozen=True)
class ItemSaid:
    """``ledger``: what is on hand, in ``uom``; ``moved_at``: when the newest movement in it happened."""

    plant: str
    item: str
    uom: str
    ledger: Decimal
    moved_at: datetime | None
    systems: Sequence[SystemSaid]


@dataclass(frozen=True)
class SystemFilter:
    plant: str | None = None
    item: str | None = None
    system: str | None = None


def list_by_system(
    session: Session, topology: Topology, chosen: SystemFilter, limit: int, after: Sequence[str] | None = None
) -> list[ItemSaid]:
    """By plant and item, of all that the ledger or a system's last snapshot knows; ``after`` is the key of the last of
    the page before."""
    systems = {chosen.system} if chosen.system is not None else topology.sources.keys() | topology.targets.keys()
    snapshots = _last_snapshots(session, systems)
    keys = _keys(session, snapshots, chosen, limit, after)
    if not keys:
        return []
    page = _Page(session, topology, keys)
    told = [page.said_by(snapshot) for snapshot in snapshots]
    return [page.item(key, [by_key[key] for by_key in told]) for key in keys]


def _last_snapshots(session: Session, systems: Collection[str]) -> list[Snapshot]:
    ids = (session.scalar(select(func.max(Snapshot.id)).where(Snapshot.system == one)) for one in sorted(systems))
    return [session.get_one(Snapshot, found) for found in ids if found is not None]


def _keys(
    session: Session, snapshots: Sequence[Snapshot], chosen: SystemFilter, limit: int, after: Sequence[str] | None
) -> list[PlantItem]:
    """The first of each, merged: none that comes before the last of them is missing."""
    queries: list[Any] = [_first((ItemStock.plant, ItemStock.item), chosen, limit, after)]
    for snapshot in snapshots:
        query = _first((SnapshotRow.plant, SnapshotRow.item), chosen, limit, after)
        queries.append(query.where(SnapshotRow.snapshot_id == snapshot.id))
    found = {(row[0], row[1]) for query in queries for row in session.execute(query)}
    return sorted(found)[:limit]


def _first(columns: tuple[Any, Any], chosen: SystemFilter, limit: int, after: Sequence[str] | None) -> Any:
    query = select(*columns).distinct().order_by(*columns).limit(limit)
    wanted = zip(columns, (chosen.plant, chosen.item), strict=True)
    query = query.where(*(column == value for column, value in wanted if value is not None))
    return query if after is None else query.where(tuple_(*columns) > tuple(after))


class _Page:
    """What the ledger says of these items, and what is held against it."""

    def __init__(self, session: Session, topology: Topology, keys: Sequence[PlantItem]) -> None:
        self._session = session
        self._keys = keys
        items = load_items(session, {item for _, item in keys})
        self._measure = Measure(topology, Level.ITEM, items)
        self._uoms: dict[PlantItem, str] = {}
        self._ledger: dict[PlantItem, Decimal] = defaultdict(Decimal)
        for row in session.scalars(select(ItemStock).where(among((ItemStock.plant, ItemStock.item), keys))):
            self._add(self._ledger, (row.plant, row.item), total(row), row.uom)
        moved: Any = select(Stock.plant, Stock.item, func.max(Stock.moved_at))
        moved = moved.where(among((Stock.plant, Stock.item), keys)).group_by(Stock.plant, Stock.item)
        self._moved: Mapping[PlantItem, datetime | None] = {(r[0], r[1]): r[2] for r in session.execute(moved)}

    def item(self, key: PlantItem, systems: Sequence[SystemSaid]) -> ItemSaid:
        uom = self._uoms.get(key, "")
        return ItemSaid(*key, uom, self._ledger.get(key, Decimal(0)), self._moved.get(key), systems)

    def said_by(self, snapshot: Snapshot) -> dict[PlantItem, SystemSaid]:
        """What the snapshot says of each item of the page, and the ledger as of then."""
        query = select(SnapshotRow).where(SnapshotRow.snapshot_id == snapshot.id)
        amounts: dict[PlantItem, Decimal] = defaultdict(Decimal)
        strange: set[PlantItem] = set()
        for row in self._session.scalars(query.where(among((SnapshotRow.plant, SnapshotRow.item), self._keys))):
            key = (row.plant, row.item)
            if not self._add(amounts, key, row.quantity, row.uom):
                strange.add(key)
        later = self._moved_since(snapshot.taken_at)
        return {
            key: SystemSaid(
                snapshot.system,
                snapshot.id,
                snapshot.taken_at,
                amounts[key] if key in amounts and key not in strange else None,
                None if later is None else self._ledger.get(key, Decimal(0)) - later.get(key, Decimal(0)),
            )
            for key in self._keys
        }

    def _moved_since(self, moment: datetime) -> dict[PlantItem, Decimal] | None:
        query: Any = select(Stock.plant, Stock.item, Stock.uom, Movement.quantity)
        query = query.join(Movement, Movement.stock_id == Stock.id)
        query = query.where(among((Stock.plant, Stock.item), self._keys), Stock.moved_at > moment)
        query = query.where(Movement.happened_at > moment, Movement.void_at.is_(None)).limit(MOVEMENTS_MOST + 1)
        later: dict[PlantItem, Decimal] = defaultdict(Decimal)
        rows = self._session.execute(query).all()
        for plant, item, uom, quantity in rows:
            self._add(later, (plant, item), quantity, uom)
        return later if len(rows) <= MOVEMENTS_MOST else None

    def _add(self, sums: dict[PlantItem, Decimal], key: PlantItem, value: Decimal, uom: str) -> bool:
        """Add it in the item's base unit; False where there is none of it."""
        base = self._measure.base(key[1], value, uom)
        known = self._uoms.setdefault(key, self._measure.uom(key[1], uom))
        if base is None or (key[1] not in self._measure.items and known != uom):
            return False
        sums[key] += base
        return True
