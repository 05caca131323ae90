"""In which state equipment is, and was: the current ones, the history of one, and its time in each state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.store.version_tables import EquipmentState

EQUIPMENT_KEY = (EquipmentState.plant, EquipmentState.equipment_id)
HISTORY_KEY = (EquipmentState.happened_at, EquipmentState.message_id, EquipmentState.event_index)
SPANS_MOST = 10_000
"""States that are added up at most: a machine that tells more in the time that is asked for is told as not whole."""

HistoryKey = tuple[datetime, int, int]


@dataclass(frozen=True)
class TimeInStates:
    """``seconds`` by state, from ``since_at`` until ``until_at``; ``is_whole``: whether all of it was added up."""

    since_at: datetime
    until_at: datetime
    seconds: Mapping[str, float]
    is_whole: bool


def list_equipment(
    session: Session,
    plant: str | None,
    state: str | None,
    limit: int,
    after: Sequence[str] | None = None,
    equipment_id: str | None = None,
) -> Sequence[EquipmentState]:
    """The current state of each, by plant and equipment; ``after`` is the key of the last of the page before."""
    wanted = ((EquipmentState.plant, plant), (EquipmentState.state, state))
    wanted += ((EquipmentState.equipment_id, equipment_id),)  # type: ignore[assignment]
    query = select(EquipmentState).where(EquipmentState.is_current.expression)
    query = query.where(*(column == value for column, value in wanted if value is not None))
    if after is not None:
        query = query.where(tuple_(*EQUIPMENT_KEY) > tuple(after))
    return session.scalars(query.order_by(*EQUIPMENT_KEY).limit(limit)).all()


def list_states(
    session: Session, plant: str, equipment_id: str, limit: int, before: HistoryKey | None = None
) -> Sequence[EquipmentState]:
    """The states of one, the last entered state first, void ones with them."""
    query = select(EquipmentState).where(EquipmentState.plant == plant, EquipmentState.equipment_id == equipment_id)
    if before is not None:
        query = query.where(tuple_(*HISTORY_KEY) < before)
    return session.scalars(query.order_by(*(column.desc() for column in HISTORY_KEY)).limit(limit)).all()


def time_in_states(session: Session, plant: str, equipment_id: str, since: datetime, until: datetime) -> TimeInStates:
    """How long it was in each state within this time; what was before its first state is none of them."""
    of_it = (EquipmentState.plant == plant, EquipmentState.equipment_id == equipment_id)
    query = select(EquipmentState.state, EquipmentState.happened_at, EquipmentState.ended_at)
    query = query.where(*of_it, EquipmentState.void_at.is_(None))
    order = [column.desc() for column in HISTORY_KEY]
    inside = query.where(EquipmentState.happened_at > since, EquipmentState.happened_at < until)
    rows = list(session.execute(inside.order_by(*order).limit(SPANS_MOST + 1)))
    rows += session.execute(query.where(EquipmentState.happened_at <= since).order_by(*order).limit(1))
    seconds: dict[str, float] = defaultdict(float)
    for state, began, ended in rows[: SPANS_MOST + 1]:
        span = min(ended or until, until) - max(began, since)
        seconds[state] += max(span, timedelta(0)).total_seconds()
    return TimeInStates(since, until, dict(sorted(seconds.items())), len(rows) <= SPANS_MOST + 1)
