"""The order within a key: who comes before whom, and who is next when one has ended.

The place of a message is its rank (the sender's sequence, else the time of the event), then its id. A message that was
not transformed yet may have no rank; it then counts as coming after all that arrived before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, literal, select, text, tuple_
from sqlalchemy.orm import Session

from app.inbox.claim import Claimed, gap_reference_of, key_reference_of
from app.inbox.states import State
from app.inbox.wakes import waits_for, wake
from app.store.base import table_of
from app.store.messages_tables import Message
from app.store.prepared import Prepared

# Literal, because SQLite uses a partial index only for the very words of its condition.
UNFINISHED = text("messages.state NOT IN ('posted', 'discarded', 'compensated')")
TRAILING = text("messages.state = 'posted' AND messages.step IS NOT NULL")
POSTED = text("messages.ordering_key IS NOT NULL AND messages.state = 'posted'")

# So many of a key are woken when an earlier one has ended. The others could not take effect yet anyway, and waking
# each of thousands after each of thousands would be millions.
WAKE_NEXT = 50


# The statements of every lane's every round. They are made once: that takes several times as long as to execute them.
_MESSAGES = table_of(Message)
_OURS = _MESSAGES.alias("ours")
_ONE, _OUR = _MESSAGES.c, _OURS.c


def _first_of_key(rank: ColumnElement[bool]) -> Any:
    first = (
        select(_ONE.id)
        .where(_ONE.plant == bindparam("plant"), _ONE.ordering_key == _OUR.ordering_key, UNFINISHED)
        .where(rank, _ONE.id.not_in(bindparam("others", expanding=True)))
        .order_by(_ONE.key_rank, _ONE.id)
        .limit(1)
    )
    return select(first.correlate(_OURS).scalar_subquery()).where(_OUR.id.in_(bindparam("one_of_each", expanding=True)))


def _overtaken() -> Any:
    later = (
        select(_ONE.id)
        .where(_ONE.plant == bindparam("plant"), _ONE.ordering_key == _OUR.ordering_key, POSTED)
        .where(tuple_(_ONE.key_rank, _ONE.id) > tuple_(_OUR.key_rank, _OUR.id), _ONE.type != bindparam("passing"))
        .where(_ONE.state_at >= _OUR.received_at)
        .order_by(_ONE.key_rank, _ONE.id)
        .limit(1)
    )
    query = select(_OUR.id, later.correlate(_OURS).scalar_subquery().label("later"))
    return query.where(_OUR.id.in_(bindparam("ids", expanding=True)))


def _waited_for() -> Any:
    place = _OUR.plant + literal(":") + _OUR.ordering_key
    waits = select(_ONE.id).where(waits_for(_ONE.waiting_for.in_([literal("key:") + place, literal("gap:") + place])))
    query = select(_OUR.plant, _OUR.ordering_key)
    return query.where(_OUR.id.in_(bindparam("ids", expanding=True)), waits.correlate(_OURS).exists())


_FIRST_RANKED = Prepared(_first_of_key(_ONE.key_rank > ""))
_FIRST_UNRANKED = Prepared(_first_of_key(_ONE.key_rank == ""))
_PLACES = Prepared(
    select(_ONE.id, _ONE.ordering_key, _ONE.key_rank, _ONE.waiting_for, _ONE.state).where(
        _ONE.id.in_(bindparam("ids", expanding=True))
    )
)
_OVERTAKEN = Prepared(_overtaken())
_WAITED_FOR = Prepared(_waited_for())
_NEXT_OF_KEY = Prepared(
    select(_ONE.id)
    .where(_ONE.plant == bindparam("plant"), _ONE.ordering_key == bindparam("key"), UNFINISHED)
    .order_by(_ONE.key_rank, _ONE.id)
    .limit(WAKE_NEXT)
)


def sequence_rank(sequence: str) -> str:
    """Text, so that one column serves sequences and times; numbers are padded, as ``10`` comes after ``9``."""
    return sequence.zfill(40) if sequence.isdigit() else sequence


def lane_number(ordering_key: str | None, message_id: int, lanes: int) -> int:
    """The lane 1..n of a key; without a key, any lane will do."""
    key = ordering_key or str(message_id)
    return 1 + int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) % lanes


class Predecessor(NamedTuple):
    id: int
    is_dead: bool


def blocking_predecessors(
    session: Session, plant: str, messages: Sequence[Claimed], fulfils: Mapping[int, set[str]]
) -> dict[int, Predecessor]:
    """For each of these messages that must not take effect yet: an unfinished message of the same key that comes before
    it and is not among them. Without a predecessor a message is absent from the answer.

    ``fulfils``: the references that a message brings. A message that waits for one of them, with all that comes after
    it, is no predecessor: a completion with an early time waits for its order's release and must not hold it, nor the
    issue that brings the stock it waits for.
    """
    keyed = [message for message in messages if message.ordering_key]
    one_of_each = {message.ordering_key: message.id for message in keyed}
    others = [message.id for message in messages]
    placed = _first_of_keys(session, plant, list(one_of_each.values()), others, has_rank=True)
    unplaced = _first_of_keys(session, plant, list(one_of_each.values()), others, has_rank=False)
    blocked: dict[int, Predecessor] = {}
    for message in keyed:
        first, unranked = placed.get(message.ordering_key), unplaced.get(message.ordering_key)
        needs_it = first is not None and first.waiting_for in fulfils.get(message.id, ())
        if first is not None and (first.key_rank, first.id) < (message.key_rank, message.id) and not needs_it:
            blocked[message.id] = Predecessor(first.id, first.state == State.DEAD)
        elif unranked is not None and unranked.id < message.id:
            blocked[message.id] = Predecessor(unranked.id, unranked.state == State.DEAD)
    return blocked


def _first_of_keys(
    session: Session, plant: str, one_of_each: Sequence[int], others: Sequence[int], has_rank: bool
) -> dict[str | None, Any]:
    """The first unfinished message of the key of each of these ids that is not one of ``others``; found by index
    however many messages a key has."""
    if not one_of_each:
        return {}
    statement = _FIRST_RANKED if has_rank else _FIRST_UNRANKED
    found = statement.scalars(session, plant=plant, others=list(others), one_of_each=list(one_of_each))
    ids = [key for key in found if key]
    return {row.ordering_key: row for row in _PLACES.rows(session, ids=ids)} if ids else {}


def overtaken(session: Session, plant: str, message_ids: Sequence[int], passing: str) -> dict[int, int]:
    """Those of these messages that later ones of their key have overtaken, which took effect since the message came;
    each with the next of them. ``passing``: the type that may go before what waits for it."""
    if not message_ids:
        return {}
    rows = _OVERTAKEN.rows(session, plant=plant, passing=passing, ids=list(message_ids))
    return {row.id: row.later for row in rows if row.later is not None}


def wake_next(session: Session, ended: Iterable[int], now: datetime) -> None:
    """Make those due that come next in the keys of these messages, if they wait for their turn."""
    ids: list[int] = []
    references: set[str] = set()
    keys = _WAITED_FOR.rows(session, ids=list(ended))
    for plant, key in sorted({(row.plant, row.ordering_key) for row in keys}):
        ids += _NEXT_OF_KEY.scalars(session, plant=plant, key=key)
        references |= {key_reference_of(plant, key), gap_reference_of(plant, key)}
    if ids:
        wake(session, sorted(references), now, among=ids)
