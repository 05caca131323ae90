"""Moves that two systems tell, each from its end: they are one move, which counts once.

Two tellings are of one move where they come from different sources and name the same document, item, lot, serials,
quantity, and both places. The n-th that one source tells is the n-th that another tells, in the order in which they
happened; of each such set the first counts and the others confirm it. So which ones count depends on the tellings that
are not reversed, and not on the order in which they come.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.projections.ledger import Entry, enter, withdraw
from app.projections.movements import TYPE_OF, Kind, Leg, Place
from app.projections.origin import AS_TOLD
from app.store.key_sets import among
from app.store.ledger_tables import TransferTelling
from mappings.context import Event
from mappings.units import plain

CHUNK = 200


@dataclass(frozen=True)
class Transfer:
    """One telling of a move under a document; ``entries`` are its legs, of which there is at least one."""

    key: str
    entries: Sequence[Entry]


def transfer_of(event: Event, entries: Sequence[Entry]) -> Transfer | None:
    """The move that the event tells, where it names the document under which another system may tell it as well."""
    document = event.data.get("document_ref") or {}
    if event.type != TYPE_OF[Kind.MOVED] or not document.get("id") or not entries:
        return None
    legs = sorted([*entry.leg.place, plain(entry.leg.quantity)] for entry in entries)
    named = [sorted(document.items()), event.data.get("sub_lot"), sorted(event.data.get("serials", ())), legs]
    return Transfer(hashlib.sha256(json.dumps(named).encode()).hexdigest(), entries)


def enter_transfers(session: Session, transfers: Sequence[Transfer], sources: Mapping[int, str], now: datetime) -> None:
    """Enter these; ``sources`` tells of each message who sent it. The caller holds the right to change the ledger, and
    has entered none of them before."""
    if not transfers:
        return
    session.connection().execute(insert(TransferTelling), [_values(one, sources) for one in transfers])
    _settle(session, {one.key for one in transfers}, now)


def void_transfers(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take what these messages, which were reversed, told back. Their movements are void by now; where another tells
    the same move, that one counts from now on."""
    of_them = TransferTelling.message_id.in_(sorted(message_ids))
    keys = set(session.scalars(select(TransferTelling.key).where(of_them)))
    if keys:
        session.execute(delete(TransferTelling).where(of_them), execution_options=AS_TOLD)
        _settle(session, keys, now)


def already_transferred(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages whose moves are entered, as movements or as confirmations."""
    query = select(TransferTelling.message_id).where(TransferTelling.message_id.in_(message_ids))
    return set(session.scalars(query.distinct())) if message_ids else set()


def _settle(session: Session, keys: Collection[str], now: datetime) -> None:
    by_key: dict[str, list[TransferTelling]] = defaultdict(list)
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        query = select(TransferTelling).where(TransferTelling.key.in_(wanted[start : start + CHUNK]))
        for row in session.scalars(query.execution_options(populate_existing=True)):
            by_key[row.key].append(row)
    begin, end = [], []
    for rows in by_key.values():
        counting = _counting(rows)
        begin += [row for row in rows if _id(row) in counting and not row.counts]
        end += [row for row in rows if _id(row) not in counting and row.counts]
    _mark(session, end, counts=False)
    _mark(session, begin, counts=True)
    withdraw(session, {_id(row) for row in end})
    enter(session, [entry for row in begin for entry in _entries(row)], now)


def _counting(rows: Sequence[TransferTelling]) -> set[tuple[int, int]]:
    """Of the n-th tellings of all sources the first counts, for each n."""
    by_source: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append((row.happened_at, *_id(row)))
    first: dict[int, tuple[datetime, int, int]] = {}
    for told in by_source.values():
        for number, one in enumerate(sorted(told)):
            first[number] = min(first.get(number, one), one)
    return {one[1:] for one in first.values()}


def _id(row: TransferTelling) -> tuple[int, int]:
    return row.message_id, row.event_index


def _mark(session: Session, rows: Sequence[TransferTelling], *, counts: bool) -> None:
    ids = sorted(map(_id, rows))
    for start in range(0, len(ids), CHUNK):
        of_them = among((TransferTelling.message_id, TransferTelling.event_index), ids[start : start + CHUNK])
        session.execute(update(TransferTelling).where(of_them).values(counts=counts), execution_options=AS_TOLD)


def _values(one: Transfer, sources: Mapping[int, str]) -> dict[str, Any]:
    first = one.entries[0]
    return {
        "message_id": first.message_id,
        "event_index": first.event_index,
        "key": one.key,
        "source": sources[first.message_id],
        "happened_at": first.happened_at,
        "order_id": first.order_id,
        "document": first.document,
        "reason": first.reason,
        "legs": [[entry.number, *entry.leg.place, plain(entry.leg.quantity)] for entry in one.entries],
        "counts": False,
    }


def _entries(row: TransferTelling) -> Iterator[Entry]:
    for number, *place, quantity in row.legs:
        leg = Leg(Place(*place), Kind.MOVED, Decimal(quantity))
        yield Entry(
            row.message_id, row.event_index, number, leg, row.happened_at, row.order_id, row.document, row.reason
        )
