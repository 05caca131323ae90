"""Mend what a clock wrote down that was set back since: it lies further ahead than anything may.

Only what proves itself to be of the old time is touched, so this may be run at any time and any number of times:
what is claimed or held for longer than a lease lasts, a state that was reached in the future, a wait for longer than
anybody waits before looking again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from app.clock import STEP_SECONDS
from app.inbox.states import Step
from app.pipeline.calls import longest_lane_seconds
from app.pipeline.context import Pipeline
from app.pipeline.outcome import recheck_seconds
from app.store.messages_tables import Lane, Message
from app.store.target_tables import TargetCalls, TargetState

log = structlog.get_logger()

PORTION = 1_000
MEND_EVERY_SECONDS = 60.0
STEP = timedelta(seconds=STEP_SECONDS)

_COLUMNS = (
    Message.id,
    Message.due_at,
    Message.state_at,
    Message.lease_token,
    Message.waiting_for,
    Message.attempts,
)
_UPDATE = (
    update(Message)
    .where(Message.id == bindparam("b_id"))
    .values(due_at=bindparam("b_due_at"), state_at=bindparam("b_state_at"))
)


@dataclass
class ClockMend:
    """When a relay mends. At its first tick, as the clock may have been set back while nothing ran; where the last
    tick, its own or another's, lies in the future; and then every minute until the old time is reached, since what was
    under way may still be committed with it."""

    next_at: float | None = 0.0
    old_time: datetime | None = None

    def tick(self, pipeline: Pipeline, last_tick: datetime) -> None:
        """``last_tick``: when a relay ticked last, by the clock as it went then."""
        now = pipeline.clock()
        if last_tick > now + STEP:
            log.warning("clock_set_back", seconds=round((last_tick - now).total_seconds()))
            self.next_at, self.old_time = 0.0, max(last_tick, self.old_time or last_tick)
        if self.next_at is None or time.monotonic() < self.next_at:
            return
        if mended := mend_after_set_back(pipeline):
            log.warning("messages_of_another_time_mended", messages=mended)
        self.next_at = time.monotonic() + MEND_EVERY_SECONDS if self.old_time and now <= self.old_time else None


def mend_after_set_back(pipeline: Pipeline) -> int:
    """Make due, or due after what was left of its wait, what was written by a clock that has been set back; give lanes
    back that a killed worker would hold until then. Returns how many messages that were.

    A lane that is held in earnest stays held for as long as the longest wave may take, so nobody posts beside it.
    """
    _shorten_lanes(pipeline)
    _mend_circuits(pipeline)
    return sum(
        _mend_lane(pipeline, plant, step, lane)
        for plant in pipeline.topology.plants
        for step, lane in _places(pipeline, plant)
    )


def _shorten_lanes(pipeline: Pipeline) -> None:
    with pipeline.store.writing() as session:
        until = pipeline.clock() + timedelta(seconds=longest_lane_seconds(pipeline))
        session.execute(
            update(Lane)
            .where(Lane.lease_token.is_not(None), Lane.lease_until > until + STEP)
            .values(lease_until=until)
            .execution_options(synchronize_session=False)
        )


def _mend_circuits(pipeline: Pipeline) -> None:
    """A target that was left alone is left alone for as long as it was to be, and calls end when they may last."""
    now = pipeline.clock()
    until = now + timedelta(seconds=longest_lane_seconds(pipeline))
    with pipeline.store.writing() as session:
        for state in session.execute(select(TargetState).where(TargetState.opened_at > now + STEP)).scalars():
            opened_at = state.opened_at or now
            state.retry_at = now + ((state.retry_at or opened_at) - opened_at)
            state.opened_at = now
        session.execute(
            update(TargetCalls)
            .where(TargetCalls.until > until + STEP)
            .values(until=until)
            .execution_options(synchronize_session=False)
        )


def _places(pipeline: Pipeline, plant: str) -> Iterator[tuple[Step, int]]:
    """Each step with each lane that it may have, as the index on what is due has them."""
    yield Step.TRANSFORM, 0
    yield Step.ENRICH, 0
    with pipeline.store.reading() as session:
        lanes = session.execute(select(Lane.lane).where(Lane.plant == plant).order_by(Lane.lane)).scalars().all()
    for lane in lanes:
        yield Step.POST, lane


def _mend_lane(pipeline: Pipeline, plant: str, step: Step, lane: int) -> int:
    """Portion after portion, each in a transaction of its own."""
    mended = 0
    behind: tuple[datetime, int] | None = (pipeline.clock() + STEP, 0)
    while behind is not None:
        with pipeline.store.writing() as session:
            rows = portion(session, plant, step, lane, behind)
            moved = [move for row in rows if (move := _mended(row, pipeline)) is not None]
            if moved:
                session.connection().execute(_UPDATE, moved)
        mended += len(moved)
        behind = (rows[-1].due_at, rows[-1].id) if len(rows) == PORTION else None
    return mended


def portion(session: Session, plant: str, step: Step, lane: int, behind: tuple[datetime, int]) -> list[Any]:
    query = (
        select(*_COLUMNS)
        .where(Message.plant == plant, Message.step == step.value, Message.lane == lane)
        .where(Message.due_at >= behind[0], tuple_(Message.due_at, Message.id) > behind)
        .order_by(Message.due_at, Message.id)
        .limit(PORTION)
        .with_for_update(skip_locked=True)
    )
    return list(session.execute(query))


def _mended(row: Any, pipeline: Pipeline) -> dict[str, Any] | None:
    """The row's new times; None where it may well have been written by the clock as it goes now."""
    now = pipeline.clock()
    if row.lease_token is not None:
        longest = timedelta(seconds=pipeline.lease_seconds)
    elif row.waiting_for is not None:
        longest = timedelta(seconds=recheck_seconds(row.attempts))
    elif row.state_at > now + STEP:
        longest = max(timedelta(0), row.due_at - row.state_at)
    else:
        return None
    if row.due_at <= now + longest + STEP:
        return None
    return {"b_id": row.id, "b_due_at": now + longest, "b_state_at": min(row.state_at, now)}
