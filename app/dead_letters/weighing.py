"""Keep each dead letter's impact as it is: weighed within a second or two of its death, and again, all of them in turn,
for as long as it is dead, since what waits behind it comes and goes.

Only what has changed is written. Two who weigh at once are harmless: both write what is so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from app.dead_letters.impact import Weight, weight_of
from app.dead_letters.pressure import Letter, pressures_of
from app.dead_letters.subject import Named, Subject, subjects_of
from app.projections.item_costs import unit_costs
from app.store.impact_tables import Impact, ImpactObject
from app.store.leases import lease_is_free, take_lease
from app.store.messages_tables import Message
from app.store.session import Store

Clock = Callable[[], datetime]

PORTION = 500
CODE_MOST = 80
ROUND_LEASE = "weighing"
ROUND_EVERY_SECONDS = 5.0
LETTERS_PER_SECOND = 200
"""A round over all dead letters begins this long after the one before, and later where there are many: so many a second
are looked at on average, which takes a small part of one processor."""
COUNTED_MOST = 100_000
ROUND_MOST_SECONDS = COUNTED_MOST / LETTERS_PER_SECOND


@dataclass(frozen=True)
class Weighed:
    """``after``: where the round goes on; None where it is through."""

    letters: int
    changed: int
    after: int | None


@dataclass(frozen=True)
class _Row:
    """``is_new``: nobody has weighed it yet."""

    letter: Letter
    died_at: datetime
    points: int
    parts: Any
    is_new: bool


def weighing_is_due(store: Store, now: datetime) -> bool:
    """Whether any dead letter was not weighed yet, or a new round over all of them may begin."""
    with store.reading() as session:
        if session.scalars(select(Impact.message_id).where(Impact.weighed_at.is_(None)).limit(1)).first() is not None:
            return True
        any_at_all = session.scalars(select(Impact.message_id).limit(1)).first() is not None
        return any_at_all and lease_is_free(session, ROUND_LEASE, now, ROUND_MOST_SECONDS)


def weigh(store: Store, clock: Clock, seconds: float, token: str, after: int = 0) -> int | None:
    """Weigh the new ones, then all of them in turn, for so long at most; returns where the round goes on, if it does.
    ``after`` 0 begins a round, where none is under way."""
    until = time.monotonic() + seconds
    while weigh_portion(store, clock(), new=True).letters == PORTION:
        if time.monotonic() >= until:
            return after or None
    if not after and not _may_begin(store, clock(), token):
        return None
    following: int | None = after
    while following is not None:
        following = weigh_portion(store, clock(), following).after
        if time.monotonic() >= until:
            break
    return following


def _may_begin(store: Store, now: datetime, token: str) -> bool:
    with store.writing() as session:
        counted = select(Impact.message_id).limit(COUNTED_MOST).subquery()
        letters = session.execute(select(func.count()).select_from(counted)).scalar_one()
        seconds = max(ROUND_EVERY_SECONDS, letters / LETTERS_PER_SECOND)
        free = lease_is_free(session, ROUND_LEASE, now, ROUND_MOST_SECONDS)
        return free and take_lease(session, ROUND_LEASE, token, now, seconds, ROUND_MOST_SECONDS)


def weigh_portion(store: Store, now: datetime, after: int = 0, *, new: bool = False) -> Weighed:
    """The next dead letters by id; with ``new`` those that nobody has weighed yet."""
    with store.reading() as session:
        rows = _read(session, after, new)
        weights = weights_of(session, [row.letter for row in rows], now)
    changed = [row for row in rows if row.is_new or _differs(row, weights[row.letter.id])]
    if changed:
        with store.writing() as session:
            _write(session, changed, weights, now)
    ended = len(rows) < PORTION or not rows
    return Weighed(len(rows), len(changed), None if ended else rows[-1].letter.id)


def weights_of(session: Session, letters: Sequence[Letter], now: datetime) -> dict[int, Weight]:
    """What each of these messages holds up at this moment, dead or not."""
    pressures = pressures_of(session, letters)
    costs = unit_costs(session, {amount.item for letter in letters for amount in letter.subject.amounts})
    return {letter.id: weight_of(letter.subject, pressures[letter.id], costs, now) for letter in letters}


def letters_of(session: Session, messages: Sequence[Message]) -> list[Letter]:
    """These messages, each with what it is about."""
    subjects = subjects_of(session, [Named(m.id, m.plant, m.ordering_key) for m in messages])
    return [Letter(m.id, m.plant, m.ordering_key, m.key_rank, subjects[m.id]) for m in messages]


def _read(session: Session, after: int, new: bool) -> list[_Row]:
    query = select(Impact, Message.ordering_key, Message.key_rank).join(Message, Message.id == Impact.message_id)
    query = query.where(Impact.weighed_at.is_(None)) if new else query.where(Impact.message_id > after)
    rows = session.execute(query.order_by(Impact.message_id).limit(PORTION)).all()
    unread = [Named(row[0].message_id, row[0].plant, row.ordering_key) for row in rows if row[0].subject is None]
    read = subjects_of(session, unread) if unread else {}
    found = []
    for impact, ordering_key, key_rank in rows:
        subject = read.get(impact.message_id) or Subject.of_stored(impact.subject)
        behind = (impact.parts or {}).get("behind", {})
        letter = Letter(impact.message_id, impact.plant, ordering_key, key_rank, subject, behind)
        found.append(_Row(letter, impact.died_at, impact.points, impact.parts, impact.weighed_at is None))
    return found


def _differs(row: _Row, weight: Weight) -> bool:
    return row.points != weight.points or row.parts != weight.told


_UPDATE = (
    update(Impact)
    .where(Impact.message_id == bindparam("b_id"))
    .values(
        points=bindparam("b_points"),
        subject=bindparam("b_subject"),
        parts=bindparam("b_parts"),
        weighed_at=bindparam("b_now"),
    )
)


def _write(session: Session, rows: Sequence[_Row], weights: dict[int, Weight], now: datetime) -> None:
    """Of those that are still the dead letters that were read: one may have been requeued meanwhile, and died anew."""
    ids = [row.letter.id for row in rows]
    query = select(Impact.message_id, Impact.died_at).where(Impact.message_id.in_(ids)).order_by(Impact.message_id)
    standing = {row.message_id: row.died_at for row in session.execute(query.with_for_update())}
    rows = [row for row in rows if standing.get(row.letter.id) == row.died_at]
    if not rows:
        return
    session.connection().execute(_UPDATE, [_values(row, weights[row.letter.id], now) for row in rows])
    known = set(session.scalars(select(ImpactObject.message_id).where(ImpactObject.message_id.in_(ids)).distinct()))
    new = (row.letter for row in rows if row.letter.id not in known)
    objects = {(kind, code[:CODE_MOST], letter.id) for letter in new for kind, code in letter.subject.codes()}
    if objects:
        names = ("kind", "code", "message_id")
        found = [dict(zip(names, one, strict=True)) for one in sorted(objects)]
        session.connection().execute(insert(ImpactObject), found)


def _values(row: _Row, weight: Weight, now: datetime) -> dict[str, Any]:
    return {
        "b_id": row.letter.id,
        "b_points": weight.points,
        "b_subject": row.letter.subject.stored(),
        "b_parts": weight.told,
        "b_now": now,
    }
