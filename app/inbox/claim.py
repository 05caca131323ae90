"""Claim what is due: a lease in the database decides who works on a message, never the permit that was handed over."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Integer, String, bindparam, case, exists, func, literal, or_, select, update
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
from app.store.base import table_of
from app.store.by_state import HIGHEST_ID, STATE_ORDER, within_state
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
_DUE = (
    select(_ONE.id, _ONE.workers_lost, _ONE.lease_token)
    .where(_ONE.plant == bindparam("plant"), _ONE.step == bindparam("step"), _ONE.lane == bindparam("lane"))
    .where(_ONE.due_at <= bindparam("now"))
    .order_by(_ONE.due_at, _ONE.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM, _CLAIM_BEFORE = Prepared(_DUE), Prepared(_DUE.where(_ONE.id < bindparam("horizon")))
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
_HELD_LANES = (
    update(_LANES)
    .where(_LANE.plant == bindparam("of_plant"), _LANE.lane.in_(bindparam("of_lanes", expanding=True)))
    .where(_LANE.lease_token == bindparam("of_token"))
)
_EXTEND_LANES = Prepared(_HELD_LANES.values(lease_until=bindparam("until")))
_RELEASE_LANES = Prepared(_HELD_LANES.values(lease_token=None, lease_until=bindparam("until")))
# With its lanes named the index leads to what is due, past any number that is due later.
_OF_PLANT = select(_LANE.lane).where(_LANE.plant == bindparam("of_plant", type_=String))
_ANY_DUE = Prepared(
    select(_ONE.id)
    .where(_ONE.plant == bindparam("of_plant", type_=String), _ONE.step == Step.POST.value)
    .where(_ONE.lane.in_(_OF_PLANT), _ONE.due_at <= bindparam("now", type_=_ONE.due_at.type))
    .limit(1)
)


def _counting(lanes: Any) -> Any:
    due = select(literal(1)).where(_ONE.plant == bindparam("of_plant", type_=String), _ONE.lane.in_(lanes))
    due = due.where(_ONE.step == bindparam("of_step"), _ONE.due_at <= bindparam("now", type_=_ONE.due_at.type))
    return select(func.count()).select_from(due.limit(bindparam("most", type_=Integer)).subquery())


_COUNT, _COUNT_TO_POST = Prepared(_counting([0])), Prepared(_counting(_OF_PLANT))
_UNTRANSFORMED = Prepared(
    select(_ONE.id)
    .where(within_state(bindparam("of_plant", type_=String), "received"), _ONE.workers_lost < LOST_WORKERS_LIMIT)
    .order_by(*STATE_ORDER)
    .limit(1)
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
    known = {"plant": plant, "step": step.value, "lane": 0, "now": now, "most": up_to}
    rows = _CLAIM.rows(session, **known)
    lost, ids = one_lot([(row.id, lost_before(row)) for row in rows], LOTS_AFTER_LOSS)
    return _take(session, ids, lost, token, now, lease_seconds)


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


def _take(
    session: Session, ids: Sequence[int], lost: int, token: str, now: datetime, lease_seconds: float
) -> list[Claimed]:
    if not ids:
        return []
    lease = {"token": token, "until": now + timedelta(seconds=lease_seconds), "lost": lost}
    return _claimed(_TAKE.rows(session, ids=list(ids), **lease))


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
    statement = _CLAIM_LANE if take_over else _CLAIM_FREE_LANE
    known = {"of_plant": plant, "token": token, "now": now, "until": now + timedelta(seconds=lease_seconds)}
    return cast("int | None", statement.scalar(session, **known))


def _claiming_a_lane(*, take_over: bool) -> Any:
    plant, now = bindparam("of_plant", type_=String), bindparam("now", type_=_ONE.due_at.type)
    due = exists().where(
        _ONE.plant == _LANE.plant, _ONE.step == Step.POST.value, _ONE.lane == _LANE.lane, _ONE.due_at <= now
    )
    # A lane that was let go is free whatever its time says: the clock may have been set back since.
    nobodys = or_(_LANE.lease_token.is_(None), _LANE.lease_until <= now) if take_over else _LANE.lease_token.is_(None)
    free = (
        select(_LANE.lane)
        .where(_LANE.plant == plant, nobodys, due)
        .order_by(_LANE.lease_until, _LANE.lane)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(_LANES)
        .where(_LANE.plant == plant, _LANE.lane == free, nobodys)
        .values(lease_token=bindparam("token"), lease_until=bindparam("until"))
        .returning(_LANE.lane)
    )


_CLAIM_LANE = Prepared(_claiming_a_lane(take_over=True))
_CLAIM_FREE_LANE = Prepared(_claiming_a_lane(take_over=False))


def extend_lanes(session: Session, plant: str, lanes: Collection[int], token: str, until: datetime) -> bool:
    """Hold all these lanes until then; False when somebody else holds one of them by now."""
    held = {"of_plant": plant, "of_lanes": sorted(lanes), "of_token": token}
    return _EXTEND_LANES.run(session, **held, until=until) == len(lanes)


def release_lanes(session: Session, plant: str, lanes: Collection[int], token: str, now: datetime) -> None:
    if lanes:
        _RELEASE_LANES.run(session, of_plant=plant, of_lanes=sorted(lanes), of_token=token, until=now)


def claim_lanes(
    session: Session,
    plant: str,
    up_to: int,
    token: str,
    now: datetime,
    lease_seconds: float,
    *,
    lanes_most: int,
    take_over: bool = True,
) -> tuple[set[int], list[Claimed]]:
    """Up to ``lanes_most`` lanes, and of what is due to be posted in them up to ``up_to`` messages, in the order in
    which they are to take effect; lanes and messages are under ``token`` now.

    Messages that arrived after one that is still to be transformed are left: that one may belong before them. In some
    lanes nothing that is due may go on yet; they must not hide the others. What was lost with a worker comes in small
    lots, as in ``claim_messages``.
    """
    horizon = oldest_untransformed(session, plant)
    tried: list[int] = []
    rows: list[Any] = []
    filled = 0
    while filled < lanes_most and len(rows) < up_to:
        lane = claim_lane(session, plant, token, now, lease_seconds, take_over)
        if lane is None:
            break
        tried.append(lane)
        found = due_in_lane(session, plant, lane, up_to - len(rows), now, horizon)
        filled += bool(found)
        rows += found
    claimed = _take_lot(session, rows, token, now, lease_seconds)
    lanes = {message.lane for message in claimed}
    release_lanes(session, plant, set(tried) - lanes, token, now)
    return lanes, claimed


def due_in_lane(
    session: Session, plant: str, lane: int, up_to: int, now: datetime, horizon: int | None
) -> Sequence[Any]:
    """Id, lost workers and lease of what is due to be posted in the lane, oldest due first, as far as it arrived before
    ``horizon``."""
    wanted = {"plant": plant, "step": Step.POST.value, "lane": lane, "now": now, "most": up_to}
    return _CLAIM_BEFORE.rows(session, **wanted, horizon=HIGHEST_ID if horizon is None else horizon)


def _take_lot(session: Session, rows: Sequence[Any], token: str, now: datetime, lease_seconds: float) -> list[Claimed]:
    cleared = cleared_of_loss(session, rows)
    if cleared:
        session.execute(
            update(Message).where(Message.id.in_(cleared)).values(lease_token=None),
            execution_options={"synchronize_session": False},
        )
    known = [(row.id, row.workers_lost if row.id in cleared else lost_before(row)) for row in rows]
    lost, ids = one_lot(known, POST_LOTS_AFTER_LOSS)
    claimed = _take(session, ids, lost, token, now, lease_seconds)
    return sorted(claimed, key=lambda message: (message.ordering_key or "", message.key_rank, message.id))


def oldest_untransformed(session: Session, plant: str) -> int | None:
    """The first message of the plant whose ordering key is not known yet, though it is to be known any moment.

    A message that waits before its transform (a retry, a missing crosswalk value) holds nobody: it may wait for days.
    """
    return cast("int | None", _UNTRANSFORMED.scalar(session, of_plant=plant))


def is_any_due(session: Session, plant: str, now: datetime) -> bool:
    """Whether anything of the plant is due to be posted."""
    return bool(_ANY_DUE.rows(session, of_plant=plant, now=now))


def count_due(session: Session, plant: str, step: Step, now: datetime, limit: int = COUNT_LIMIT) -> int:
    """How many messages of the plant are due for this step; at most ``limit`` are looked at."""
    counting = _COUNT_TO_POST if step is Step.POST else _COUNT
    return cast("int", counting.scalar(session, of_plant=plant, of_step=step.value, now=now, most=limit))
