"""The order within a key: who comes before whom, and who is next when one has ended.

The place of a message is its rank (the sender's sequence, else the time of the event), then its id. A message that was
not transformed yet may have no rank; it then counts as coming after all that arrived before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import literal, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from app.inbox.claim import Claimed, gap_reference_of, key_reference_of
from app.inbox.states import State, waits_for, wake
from app.store.messages_tables import Message

# Literal, because SQLite uses a partial index only for the very words of its condition.
UNFINISHED = text("messages.state NOT IN ('posted', 'discarded', 'compensated')")
TRAILING = text("messages.state = 'posted' AND messages.step IS NOT NULL")
POSTED = text("messages.ordering_key IS NOT NULL AND messages.state = 'posted'")

# So many of a key are woken when an earlier one has ended. The others could not take effect yet anyway, and waking
# each of thousands after each of thousands would be millions.
WAKE_NEXT = 50


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
    ours = aliased(Message)
    first = (
        select(Message.id)
        .where(Message.plant == literal(plant), Message.ordering_key == ours.ordering_key, UNFINISHED)
        .where(Message.key_rank > "" if has_rank else Message.key_rank == "", Message.id.not_in(others))
        .order_by(Message.key_rank, Message.id)
        .limit(1)
    )
    found = select(first.correlate(ours).scalar_subquery()).where(ours.id.in_(one_of_each))
    ids = [key for key in session.execute(found).scalars() if key is not None]
    columns = (Message.id, Message.ordering_key, Message.key_rank, Message.waiting_for, Message.state)
    query = select(*columns).where(Message.id.in_(ids))
    return {row.ordering_key: row for row in session.execute(query)} if ids else {}


def overtaken(session: Session, plant: str, message_ids: Sequence[int], passing: str) -> dict[int, int]:
    """Those of these messages that later ones of their key have overtaken, which took effect since the message came;
    each with the next of them. ``passing``: the type that may go before what waits for it."""
    ours = aliased(Message)
    later = (
        select(Message.id)
        .where(Message.plant == literal(plant), Message.ordering_key == ours.ordering_key, POSTED)
        .where(tuple_(Message.key_rank, Message.id) > tuple_(ours.key_rank, ours.id), Message.type != passing)
        .where(Message.state_at >= ours.received_at)
        .order_by(Message.key_rank, Message.id)
        .limit(1)
    )
    query = select(ours.id, later.correlate(ours).scalar_subquery().label("later")).where(ours.id.in_(message_ids))
    return {row.id: row.later for row in session.execute(query) if row.later is not None} if message_ids else {}


def wake_next(session: Session, ended: Iterable[int], now: datetime) -> None:
    """Make those due that come next in the keys of these messages, if they wait for their turn."""
    ours = aliased(Message)
    place = ours.plant + literal(":") + ours.ordering_key
    waits = select(Message.id).where(
        waits_for(Message.waiting_for.in_([literal("key:") + place, literal("gap:") + place]))
    )
    query = select(ours.plant, ours.ordering_key).where(ours.id.in_(list(ended)), waits.correlate(ours).exists())
    ids: list[int] = []
    references: set[str] = set()
    for plant, key in sorted({(row.plant, row.ordering_key) for row in session.execute(query)}):
        following = select(Message.id).where(Message.plant == plant, Message.ordering_key == key, UNFINISHED)
        ids += session.execute(following.order_by(Message.key_rank, Message.id).limit(WAKE_NEXT)).scalars()
        references |= {key_reference_of(plant, key), gap_reference_of(plant, key)}
    if ids:
        wake(session, sorted(references), now, among=ids)
