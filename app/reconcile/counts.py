"""Counts make good what a system lacked before them: whoever has the count has what was found, whatever came before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.projections.movements import Place
from app.store.key_sets import with_keys
from app.store.ledger_tables import Movement, Stock

CHUNK = 200
When = tuple[datetime, int]
"""When a message happened, in the ledger's own order."""

_PLACE = (Stock.plant, Stock.item, Stock.uom, Stock.storage, Stock.lot, Stock.serial, Stock.status)


def counts_of(session: Session, stock_ids: Collection[int], cut_off: datetime) -> Mapping[int, Sequence[When]]:
    """The counts of each of these rows of stock up to the cut-off, by row."""
    found: dict[int, list[When]] = {}
    for chunk in _chunks(sorted(stock_ids)):
        query = select(Movement.stock_id, Movement.happened_at, Movement.message_id).where(
            Movement.stock_id.in_(chunk), Movement.happened_at <= cut_off
        )
        query = query.where(Movement.counted.is_not(None), Movement.void_at.is_(None))
        for row in session.execute(query):
            found.setdefault(row.stock_id, []).append((row.happened_at, row.message_id))
    return found


def counts_at(session: Session, places: Collection[Place], cut_off: datetime) -> Mapping[Place, Sequence[When]]:
    """The counts of each of these places up to the cut-off, as far as there are any."""
    wanted = list(places)
    rows: dict[int, Place] = {}
    for start in range(0, len(wanted), CHUNK):
        counted = select(Stock.id, *_PLACE).where(Stock.counts > 0)
        query = with_keys(session, counted, _PLACE, wanted[start : start + CHUNK])
        rows |= {row[0]: Place(*row[1:]) for row in session.execute(query)}
    return {rows[key]: whens for key, whens in counts_of(session, rows, cut_off).items()}


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
