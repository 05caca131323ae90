"""The order of what trails: that in which the messages of a key took effect, kept in each target by itself.

Not by their ranks: a completion with an early time took effect after the release that it waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import literal, select
from sqlalchemy.orm import Session, aliased

from app.inbox.claim import Claimed, trailing_reference_of
from app.inbox.order import TRAILING, WAKE_NEXT
from app.inbox.wakes import waits_for, wake
from app.store.messages_tables import Message
from app.store.postings_tables import Posting

OPEN = ("planned", "sending", "unknown")


class Place(NamedTuple):
    """What is kept in order by itself: the messages of a key in one target. ``key``: of a message without, its own."""

    key: str
    target: str


class Turn(NamedTuple):
    """When a message comes among those of its key that trail."""

    posted_at: datetime
    key_rank: str
    id: int


def turn_of(message: Claimed) -> Turn:
    return Turn(message.state_at, message.key_rank, message.id)


def first_trailing(
    session: Session, plant: str, representatives: Sequence[int], others: Collection[int], targets: Iterable[str]
) -> dict[Place, Turn]:
    """For the keys of these messages, one of each, and each of these targets: the first trailing message that is not
    among ``others`` and of which something is still to be posted there."""
    ours = aliased(Message)
    found: dict[Place, Turn] = {}
    for target in sorted(targets) if representatives else ():
        first = (
            select(Message.id)
            .join(Posting, Posting.message_id == Message.id)
            .where(Message.plant == literal(plant), Message.ordering_key == ours.ordering_key, TRAILING)
            .where(Posting.target == target, Posting.state.in_(OPEN))
            .where(Posting.reverses_id.is_(None), Message.id.not_in(others))
            .order_by(Message.state_at, Message.key_rank, Message.id)
            .limit(1)
        )
        each = select(first.correlate(ours).scalar_subquery()).where(ours.id.in_(representatives))
        ids = [key for key in session.execute(each).scalars() if key is not None]
        query = select(Message.ordering_key, Message.state_at, Message.key_rank, Message.id).where(Message.id.in_(ids))
        for row in session.execute(query) if ids else ():
            found[Place(row.ordering_key, target)] = Turn(row.state_at, row.key_rank, row.id)
    return found


def wake_next_trailing(session: Session, ended: Iterable[tuple[int, str | None]], now: datetime) -> None:
    """Make those due that come next after these messages in the target that each is given with, if they wait for their
    turn there; None is any target."""
    wanted = sorted(set(ended), key=str)
    keys = _keys_waited_for(session, {message_id for message_id, _ in wanted})
    for key, target in sorted({(keys[key], target) for key, target in wanted if key in keys}, key=str):
        reference = trailing_reference_of(*key)
        waiting = (
            select(Message.id)
            .where(Message.plant == key[0], Message.ordering_key == key[1], TRAILING, Message.waiting_for == reference)
            .order_by(Message.state_at, Message.key_rank, Message.id)
            .limit(WAKE_NEXT)
        )
        if target is not None:
            there = select(Posting.id).where(Posting.message_id == Message.id, Posting.target == target)
            waiting = waiting.where(there.where(Posting.state.in_(OPEN)).exists())
        ids = list(session.execute(waiting).scalars())
        if ids:
            wake(session, [reference], now, among=ids)


def _keys_waited_for(session: Session, message_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Plant and key of those of these messages behind which others wait; one look into the index for each."""
    if not message_ids:
        return {}
    ours = aliased(Message)
    place = literal("trailing:") + ours.plant + literal(":") + ours.ordering_key
    waits = select(Message.id).where(waits_for(Message.waiting_for == place)).correlate(ours).exists()
    query = select(ours.id, ours.plant, ours.ordering_key).where(ours.id.in_(message_ids), waits)
    return {row.id: (row.plant, row.ordering_key) for row in session.execute(query)}
