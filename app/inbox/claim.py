"""Claim what is due: a lease in the database decides who works on a message, never the permit that was handed over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Integer, String, bindparam, case, func, literal, select, update
from sqlalchemy.orm import Session

from app.inbox.states import Step
from app.inbox.suspects import LOTS_AFTER_LOSS, lost_before, one_lot
from app.store.base import table_of
from app.store.messages_tables import Lane, Message
from app.store.prepared import Prepared

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
    lane: int
    waiting_for: str | None = None
    requeued: str | None = None


# The statements of every claim, made once.
_MESSAGES, _LANES = table_of(Message), table_of(Lane)
_ONE, _LANE = _MESSAGES.c, _LANES.c
DUE = (
    select(_ONE.id, _ONE.workers_lost, _ONE.lease_token)
    .where(_ONE.plant == bindparam("plant"), _ONE.step == bindparam("step"), _ONE.lane == bindparam("lane"))
    .where(_ONE.due_at <= bindparam("now"))
    .order_by(_ONE.due_at, _ONE.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = Prepared(DUE)
_TAKE = Prepared(
    update(_MESSAGES)
    .where(_ONE.id.in_(bindparam("ids", expanding=True)))
    .values(
        lease_token=bindparam("token"),
        due_at=bindparam("until"),
        attempts=_ONE.attempts + 1,
        workers_lost=bindparam("lost"),
    )
    .returning(*(_ONE[field.name] for field in fields(Claimed)))
)
# With its lanes named the index leads to what is due, past any number that is due later.
OF_PLANT = select(_LANE.lane).where(_LANE.plant == bindparam("of_plant", type_=String))


def _counting(lanes: Any) -> Any:
    due = select(literal(1)).where(_ONE.plant == bindparam("of_plant", type_=String), _ONE.lane.in_(lanes))
    due = due.where(_ONE.step == bindparam("of_step"), _ONE.due_at <= bindparam("now", type_=_ONE.due_at.type))
    return select(func.count()).select_from(due.limit(bindparam("most", type_=Integer)).subquery())


_COUNT, _COUNT_TO_POST = Prepared(_counting([0])), Prepared(_counting(OF_PLANT))


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
    known = {"plant": plant, "step": step.value, "lane": 0, "now": now, "most": up_to}
    rows = _CLAIM.rows(session, **known)
    lost, ids = one_lot([(row.id, lost_before(row)) for row in rows], LOTS_AFTER_LOSS)
    return take(session, ids, lost, token, now, lease_seconds)


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


def take(
    session: Session, ids: Sequence[int], lost: int, token: str, now: datetime, lease_seconds: float
) -> list[Claimed]:
    """These under the lease of ``token``, in the order of their ids; ``lost``: how many workers each has cost."""
    if not ids:
        return []
    lease = {"token": token, "until": now + timedelta(seconds=lease_seconds), "lost": lost}
    return _claimed(_TAKE.rows(session, ids=list(ids), **lease))


def count_due(session: Session, plant: str, step: Step, now: datetime, limit: int = COUNT_LIMIT) -> int:
    """How many messages of the plant are due for this step; at most ``limit`` are looked at."""
    counting = _COUNT_TO_POST if step is Step.POST else _COUNT
    return cast("int", counting.scalar(session, of_plant=plant, of_step=step.value, now=now, most=limit))
