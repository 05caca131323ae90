"""The lanes of a plant: who holds some of them posts what is due in them, in the order of its keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Integer, String, bindparam, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.inbox.claim import DUE, OF_PLANT, Claimed, take
from app.inbox.states import Step
from app.inbox.suspects import LOST_WORKERS_LIMIT, POST_LOTS_AFTER_LOSS, cleared_of_loss, lost_before, one_lot
from app.store.base import table_of
from app.store.by_state import HIGHEST_ID, STATE_ORDER, within_state
from app.store.messages_tables import Lane, Message
from app.store.prepared import Prepared

# The statements of every visit, made once.
_LANES = table_of(Lane)
_ONE, _LANE = table_of(Message).c, _LANES.c
_DUE_BEFORE = Prepared(DUE.where(_ONE.id < bindparam("horizon")))
_HELD_LANES = (
    update(_LANES)
    .where(_LANE.plant == bindparam("of_plant"), _LANE.lane.in_(bindparam("of_lanes", expanding=True)))
    .where(_LANE.lease_token == bindparam("of_token"))
)
_EXTEND_LANES = Prepared(_HELD_LANES.values(lease_until=bindparam("until")))
_RELEASE_LANES = Prepared(_HELD_LANES.values(lease_token=None, lease_until=bindparam("until")))
_ANY_DUE = Prepared(
    select(_ONE.id)
    .where(_ONE.plant == bindparam("of_plant", type_=String), _ONE.step == Step.POST.value)
    .where(_ONE.lane.in_(OF_PLANT), _ONE.due_at <= bindparam("now", type_=_ONE.due_at.type))
    .limit(1)
)
_UNTRANSFORMED = Prepared(
    select(_ONE.id)
    .where(within_state(bindparam("of_plant", type_=String), "received"), _ONE.workers_lost < LOST_WORKERS_LIMIT)
    .order_by(*STATE_ORDER)
    .limit(1)
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
    lanes = _claim_free_lanes(session, plant, 1, token, now, lease_seconds, take_over)
    return lanes[0] if lanes else None


def _claim_free_lanes(
    session: Session, plant: str, most: int, token: str, now: datetime, lease_seconds: float, take_over: bool
) -> list[int]:
    statement = _CLAIM_LANES if take_over else _CLAIM_FREE_LANES
    known = {"of_plant": plant, "token": token, "now": now, "until": now + timedelta(seconds=lease_seconds)}
    return statement.scalars(session, **known, most=most) if most > 0 else []


def _claiming_lanes(*, take_over: bool) -> Any:
    plant, now = bindparam("of_plant", type_=String), bindparam("now", type_=_ONE.due_at.type)
    due = exists().where(
        _ONE.plant == _LANE.plant, _ONE.step == Step.POST.value, _ONE.lane == _LANE.lane, _ONE.due_at <= now
    )
    # A lane that was let go is free whatever its time says: the clock may have been set back since.
    nobodys = or_(_LANE.lease_token.is_(None), _LANE.lease_until <= now) if take_over else _LANE.lease_token.is_(None)
    # A common table expression: what locks rows in one is done once, however PostgreSQL plans the rest.
    free = (
        select(_LANE.lane)
        .where(_LANE.plant == plant, nobodys, due)
        .order_by(_LANE.lease_until, _LANE.lane)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    return (
        update(_LANES)
        .where(_LANE.plant == plant, _LANE.lane.in_(select(free.c.lane)), nobodys)
        .values(lease_token=bindparam("token"), lease_until=bindparam("until"))
        .returning(_LANE.lane)
    )


_CLAIM_LANES = Prepared(_claiming_lanes(take_over=True))
_CLAIM_FREE_LANES = Prepared(_claiming_lanes(take_over=False))


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

    Messages that arrived after one that is still to be transformed are left: that one may belong before them. Lanes in
    which nothing else is due hide no others. What was lost with a worker comes in small lots, as in ``claim_messages``.
    """
    horizon = oldest_untransformed(session, plant)
    tried: list[int] = []
    rows: list[Any] = []
    # One first, which is enough where there is much to do. In some lanes nothing that is due may go on yet.
    while not rows and (lane := claim_lane(session, plant, token, now, lease_seconds, take_over)) is not None:
        tried.append(lane)
        rows += due_in_lane(session, plant, lane, up_to, now, horizon)
    if rows and len(rows) < up_to:
        more = _claim_free_lanes(session, plant, lanes_most - 1, token, now, lease_seconds, take_over)
        tried += more
        for lane in more:
            if len(rows) < up_to:
                rows += due_in_lane(session, plant, lane, up_to - len(rows), now, horizon)
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
    return _DUE_BEFORE.rows(session, **wanted, horizon=HIGHEST_ID if horizon is None else horizon)


def _take_lot(session: Session, rows: Sequence[Any], token: str, now: datetime, lease_seconds: float) -> list[Claimed]:
    cleared = cleared_of_loss(session, rows)
    if cleared:
        session.execute(
            update(Message).where(Message.id.in_(cleared)).values(lease_token=None),
            execution_options={"synchronize_session": False},
        )
    known = [(row.id, row.workers_lost if row.id in cleared else lost_before(row)) for row in rows]
    lost, ids = one_lot(known, POST_LOTS_AFTER_LOSS)
    claimed = take(session, ids, lost, token, now, lease_seconds)
    return sorted(claimed, key=lambda message: (message.ordering_key or "", message.key_rank, message.id))


def oldest_untransformed(session: Session, plant: str) -> int | None:
    """The first message of the plant whose ordering key is not known yet, though it is to be known any moment.

    A message that waits before its transform (a retry, a missing crosswalk value) holds nobody: it may wait for days.
    """
    return cast("int | None", _UNTRANSFORMED.scalar(session, of_plant=plant))


def is_any_due(session: Session, plant: str, now: datetime) -> bool:
    """Whether anything of the plant is due to be posted."""
    return bool(_ANY_DUE.rows(session, of_plant=plant, now=now))
