"""What moved of each lot, by why, and of which items a lot is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, and_, cast, select
from sqlalchemy.orm import Session

from app.projections.movements import Kind
from app.store.availability_tables import Hold
from app.store.key_sets import listed
from app.store.ledger_tables import NOWHERE, Movement, Stock
from app.store.order_progress_tables import TransformationLot

Lot = tuple[str, str]
"""item, lot"""


@dataclass
class Account:
    uoms: set[str] = field(default_factory=set)
    plants: set[str] = field(default_factory=set)
    came: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    went: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    documents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_hand: Decimal = Decimal(0)


def items_of_lot(session: Session, lot: str) -> list[str]:
    """The items that this lot is known of."""
    moved = select(Stock.item).where(Stock.lot == lot).distinct()
    linked = select(TransformationLot.item).where(TransformationLot.lot == lot).distinct()
    held = select(Hold.item).where(Hold.lot == lot, Hold.item != NOWHERE, Hold.void_at.is_(None)).distinct()
    return sorted({*session.scalars(moved), *session.scalars(linked), *session.scalars(held)})


def accounts_of(session: Session, lots: Sequence[Lot]) -> dict[Lot, Account]:
    """What moved of each lot, by why; moves within and between plants change nothing in sum."""
    accounts: dict[Lot, Account] = defaultdict(Account)
    columns = (Stock.id, Stock.item, Stock.lot, Stock.plant, Stock.uom, Stock.quantity)
    asked = listed(session, lots, 2)
    lot_of: dict[int, Lot] = {}
    held: Any = (
        select(*columns).select_from(asked).join(Stock, and_(Stock.item == asked.c.first, Stock.lot == asked.c.second))
    )
    for key, item, lot, plant, uom, quantity in session.execute(held):
        account, lot_of[key] = accounts[item, lot], (item, lot)
        account.uoms.add(uom)
        account.plants.add(plant)
        account.on_hand += quantity
    _add_movements(session, lot_of, accounts)
    return accounts


def _add_movements(session: Session, lot_of: Mapping[int, Lot], accounts: Mapping[Lot, Account]) -> None:
    if not lot_of:
        return
    asked = listed(session, [(key,) for key in lot_of], 1)
    columns = (Movement.stock_id, Movement.kind, Movement.quantity, Movement.document)
    moved: Any = (
        select(*columns).select_from(asked).join(Movement, Movement.stock_id == cast(asked.c.first, BigInteger))
    )
    moved = moved.where(Movement.void_at.is_(None), Movement.kind != Kind.MOVED.value)
    for key, kind, quantity, document in session.execute(moved):
        account = accounts[lot_of[key]]
        (account.came if quantity > 0 else account.went)[kind] += abs(quantity)
        if document and kind in (Kind.RECEIVED, Kind.SHIPPED):
            account.documents[kind].add(document)
