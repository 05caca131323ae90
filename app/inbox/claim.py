"""Claim what is due: a lease in the database decides who works on a message, never the permit that was handed over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.inbox.states import Step
from app.inbox.suspects import (
    LOST_WORKERS_LIMIT,
    LOTS_AFTER_LOSS,
    POST_LOTS_AFTER_LOSS,
    cleared_of_loss,
    lost_before,
    one_lot,
)
from app.store.by_state import STATE_ORDER, within_state
from app.store.messages_tables import Lane, Message

# How many due messages a count looks at before it says "at least this many": a count must not walk a backlog.
COUNT_LIMIT = 5_000

# So many small lots a permit: a task has its time, and what is left is due for the next one.
LOTS_A_PERMIT = 50


@dataclass(frozen=True)
class Claimed:
    """A message under our lease, with what a step needs to know of it. ``generation``: how often it was reversed."""

    id: int
    plant: str
    source: str
    source_message_id: str
    type: str
    received_at: datetime
    attempts: int
    workers_lost: int
    retries: int
    retrying_since: datetime | None
    waiting_since: datetime | None
    ordering_key: str | None
    sequence: str | None
    key_rank: str
    state: str
    state_at: datetime
    generation: int
    waiting_for: str | None = None
    requeued: str | None = None


_COLUMNS = (
    Message.id,
    Message.plant,
    Message.source,
    Message.source_message_id,
    Message.type,
    Message.received_at,
    Message.attempts,
    Message.workers_lost,
    Message.retries,
    Message.retrying_since,
    Message.waiting_since,
    Message.ordering_key,
    Message.sequence,
    Message.key_rank,
    Message.state,
    Message.state_at,
    Message.generation,
    Message.waiting_for,
    Message.requeued,
)


def key_reference_of(plant: str, ordering_key: str) -> str:
    """What a message waits for when an earlier one of its key is unfinished."""
    return f"key:{plant}:{ordering_key}"


def gap_reference_of(plant: str, ordering_key: str) -> str:
    """What a message waits for when numbers before its own have not come."""
    return f"gap:{plant}:{ordering_key}"


def trailing_reference_of(plant: str, ordering_key: str) -> str:
    """What a posted message waits for when an earlier one of its key comes first in a target that trails."""
    return f"trailing:{plant}:{ordering_key}"


def is_gap(reference: str | None) -> bool:
    return reference is not None and reference.startswith("gap:")


def new_token() -> str:
    return secrets.token_hex(16)


def _claimed(rows: Any) -> list[Claimed]:
    return sorted((Claimed(*row) for row in rows), key=lambda message: message.id)


def claim_messages(
    session: Session, plant: str, step: Step, up_to: int, token: str, now: datetime, lease_seconds: float
) -> list[Claimed]:
    """Up to ``up_to`` messages that are due for ``step`` (transform or enrich), oldest due first, now under ``token``.

    The lease is the new ``due_at``: if nobody reports back by then, the message is simply due again. What was lost with
    a worker comes in small lots, in the end one by one, so that a message which ends its worker ends it alone.
    """
    due = (
        select(Message.id, Message.workers_lost, Message.lease_token)
        .where(Message.plant == plant, Message.step == step.value, Message.lane == 0, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(up_to)
        .with_for_update(skip_locked=True)
    )
    lost, ids = one_lot([(row.id, lost_before(row)) for row in session.execute(due)], LOTS_AFTER_LOSS)
    return _claimed(session.execute(_take(ids, lost, token, now, lease_seconds))) if ids else []


def were_lost(claimed: Sequence[Claimed]) -> bool:
    """Whether this is such a small lot, after which there may be more to do than it tells."""
    return bool(claimed) and claimed[0].workers_lost > 0


def give_back_messages(session: Session, ids: Sequence[int], token: str, due_at: datetime) -> None:
    """Claimed by a worker that lives and could not do its work: due then, as they were, and nothing is counted."""
    claims = case((Message.attempts > 0, Message.attempts - 1), else_=0)
    session.execute(
        update(Message)
        .where(Message.id.in_(ids), Message.lease_token == token)
        .values(lease_token=None, due_at=due_at, attempts=claims)
        .execution_options(synchronize_session=False)
    )


def _take(ids: Sequence[int], lost: int, token: str, now: datetime, lease_seconds: float) -> Any:
    return (
        update(Message)
        .where(Message.id.in_(ids))
        .values(
            lease_token=token,
            due_at=now + timedelta(seconds=lease_seconds),
            attempts=Message.attempts + 1,
            workers_lost=lost,
        )
        .returning(*_COLUMNS)
        .execution_options(synchronize_session=False)
    )


def ensure_lanes(session: Session, plants: Sequence[tuple[str, int]]) -> None:
    """Every plant has its lanes 1..n as rows; safe to repeat."""
    rows = [
        {"plant": plant, "lane": lane, "lease_token": None, "lease_until": datetime.fromisoformat("2000-01-01T00:00Z")}
        for plant, lanes in plants
        for lane in range(1, lanes + 1)
    ]
    dialect = session.connection().dialect.name
    build: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    if rows:
        session.execute(build(Lane).on_conflict_do_nothing(), rows)


def claim_lane(
    session: Session, plant: str, token: str, now: datetime, lease_seconds: float, take_over: bool = True
) -> int | None:
    """The lane of this plant that has something to post and was held longest ago, now under ``token``.

    ``take_over``: also one that another holds whose lease has ended; not where that may be the clock's doing.
    """
    due = exists().where(
        Message.plant == Lane.plant, Message.step == Step.POST.value, Message.lane == Lane.lane, Message.due_at <= now
    )
    # A lane that was let go is free whatever its time says: the clock may have been set back since.
    nobodys = or_(Lane.lease_token.is_(None), Lane.lease_until <= now) if take_over else Lane.lease_token.is_(None)
    free = (
        select(Lane.lane)
        .where(Lane.plant == plant, nobodys, due)
        .order_by(Lane.lease_until, Lane.lane)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Lane)
        .where(Lane.plant == plant, Lane.lane == free, nobodys)
        .values(lease_token=token, lease_until=now + timedelta(seconds=lease_seconds))
        .returning(Lane.lane)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one_or_none()


def extend_lane(session: Session, plant: str, lane: int, token: str, until: datetime) -> bool:
    """Hold the lane until then; False when somebody else holds it by now."""
    statement = (
        update(Lane)
        .where(Lane.plant == plant, Lane.lane == lane, Lane.lease_token == token)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )
    result: Any = session.execute(statement)
    return bool(result.rowcount)


def release_lane(session: Session, plant: str, lane: int, token: str, now: datetime) -> None:
    session.execute(
        update(Lane)
        .where(Lane.plant == plant, Lane.lane == lane, Lane.lease_token == token)
        .values(lease_token=None, lease_until=now)
        .execution_options(synchronize_session=False)
    )


def claim_lane_messages(
    session: Session, plant: str, lane: int, up_to: int, token: str, now: datetime, lease_seconds: float
) -> list[Claimed]:
    """What is due to be posted in this lane, in the order it is to take effect, now under ``token``.

    Messages that arrived after one that is still to be transformed are left: that one may belong before them. What was
    lost with a worker comes in small lots, as in ``claim_messages``.
    """
    horizon = oldest_untransformed(session, plant)
    due = (
        select(Message.id, Message.workers_lost, Message.lease_token)
        .where(Message.plant == plant, Message.step == Step.POST.value, Message.lane == lane, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(up_to)
        .with_for_update(skip_locked=True)
    )
    if horizon is not None:
        due = due.where(Message.id < horizon)
    rows = session.execute(due).all()
    cleared = cleared_of_loss(session, rows)
    if cleared:
        session.execute(
            update(Message).where(Message.id.in_(cleared)).values(lease_token=None),
            execution_options={"synchronize_session": False},
        )
    known = [(row.id, row.workers_lost if row.id in cleared else lost_before(row)) for row in rows]
    lost, ids = one_lot(known, POST_LOTS_AFTER_LOSS)
    claimed = _claimed(session.execute(_take(ids, lost, token, now, lease_seconds))) if ids else []
    return sorted(claimed, key=lambda message: (message.ordering_key or "", message.key_rank, message.id))


def oldest_untransformed(session: Session, plant: str) -> int | None:
    """The first message of the plant whose ordering key is not known yet, though it is to be known any moment.

    A message that waits before its transform (a retry, a missing crosswalk value) holds nobody: it may wait for days.
    """
    query = (
        select(Message.id)
        .where(within_state(plant, "received"), Message.workers_lost < LOST_WORKERS_LIMIT)
        .order_by(*STATE_ORDER)
        .limit(1)
    )
    return session.execute(query).scalar_one_or_none()


def count_due(session: Session, plant: str, step: Step, now: datetime, limit: int = COUNT_LIMIT) -> int:
    """How many messages of the plant are due for this step; at most ``limit`` are looked at."""
    # With its lanes named the index leads to what is due, past any number that is due later.
    lanes = select(Lane.lane).where(Lane.plant == plant) if step is Step.POST else [0]
    query = select(literal(1)).where(
        Message.plant == plant, Message.step == step.value, Message.lane.in_(lanes), Message.due_at <= now
    )
    return session.execute(select(func.count()).select_from(query.limit(limit).subquery())).scalar_one()
