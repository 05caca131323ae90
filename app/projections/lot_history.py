"""The messages that a lot's history consists of, with those of the lots that it came from and went into."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.projections.lot_accounts import Lot
from app.projections.lot_trace import Direction, FoundGap, trace
from app.store.availability_tables import Hold
from app.store.key_sets import among
from app.store.ledger_tables import Movement, Stock

LOTS_MOST = 2_000
MESSAGES_MOST = 20_000
CHUNK = 200


@dataclass(frozen=True)
class History:
    """``message_ids`` in their order; ``gaps`` of the genealogy. ``is_whole``: whether these are all."""

    lots: Collection[Lot]
    message_ids: Sequence[int]
    gaps: Sequence[FoundGap]
    is_whole: bool


def history_of(session: Session, item: str, lot: str, directions: Collection[Direction]) -> History:
    """Everything that counts of this lot and of its genealogy in these directions."""
    traces = [trace(session, item, lot, direction, LOTS_MOST) for direction in directions]
    lots = sorted({(one.item, one.lot) for found in traces for one in found.lots})
    ids: set[int] = set()
    for start in range(0, len(lots), CHUNK):
        ids |= _messages_of(session, lots[start : start + CHUNK])
        if len(ids) > MESSAGES_MOST:
            break
    is_whole = len(ids) <= MESSAGES_MOST and all(found.is_whole for found in traces)
    gaps = [gap for found in traces for gap in found.gaps]
    return History(frozenset(lots), sorted(ids)[:MESSAGES_MOST], list(dict.fromkeys(gaps)), is_whole)


def _messages_of(session: Session, lots: Sequence[Lot]) -> set[int]:
    """Those that moved them, or say whether they may be used. What was scrapped of an order moved nothing."""
    moved = select(Movement.message_id).join(Stock, Stock.id == Movement.stock_id)
    moved = moved.where(among((Stock.item, Stock.lot), lots), Movement.void_at.is_(None)).distinct()
    held = select(Hold.message_id).where(among((Hold.item, Hold.lot), lots), Hold.void_at.is_(None)).distinct()
    return {*session.scalars(moved.limit(MESSAGES_MOST + 1)), *session.scalars(held.limit(MESSAGES_MOST + 1))}
