"""The figures of each plant: how many messages are where, the oldest of them, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from app.inbox.order import TRAILING
from app.inbox.states import State
from app.store.by_state import STATE_ORDER, within_state
from app.store.messages_tables import Message, StateChange, StateCount

IN_PROGRESS = (State.RECEIVED, State.TRANSFORMED, State.ENRICHED)
UNFINISHED = (*IN_PROGRESS, State.WAITING, State.DEAD)
# The latency of a plant is that of its newest posted messages, this many at most and none older than this.
LATENCY_MESSAGES = 500
LATENCY_WITHIN = timedelta(hours=1)
REASONS_AMONG = 20_000
TRAILING_MOST = 5_000


@dataclass(frozen=True)
class PlantFigures:
    """``counts`` by state. ``trailing``: posted ones that are being reversed, or of which what is not required is still
    to be made, counted no further than TRAILING_MOST. ``oldest``: when the oldest message of each unfinished state was
    received. Latency is from acceptance to posted, in seconds, over ``latency_messages``; None where nothing was posted
    of late."""

    plant: str
    counts: dict[str, int] = field(default_factory=dict)
    oldest: dict[str, datetime] = field(default_factory=dict)
    latency_p50: float | None = None
    latency_p95: float | None = None
    latency_messages: int = 0
    trailing: int = 0

    @property
    def accepted(self) -> int:
        return sum(self.counts.values())

    @property
    def in_progress(self) -> int:
        return sum(self.counts.get(state, 0) for state in IN_PROGRESS)

    def count(self, state: str) -> int:
        return self.counts.get(state, 0)

    @property
    def oldest_at(self) -> datetime | None:
        """The oldest message that moves by itself; a dead letter waits for a person and has its own column."""
        return min((at for state, at in self.oldest.items() if state != State.DEAD), default=None)


def count_states(session: Session) -> dict[tuple[str, str], int]:
    """Messages by plant and state, exact: the folded counts and what is not folded yet."""
    both = union_all(
        select(StateCount.plant, StateCount.state, StateCount.count.label("number")),
        select(StateChange.plant, StateChange.state, StateChange.change.label("number")),
    ).subquery()
    query = select(both.c.plant, both.c.state, func.sum(both.c.number)).group_by(both.c.plant, both.c.state)
    return {(plant, state): int(number) for plant, state, number in session.execute(query) if number}


def plant_figures(session: Session, plants: Sequence[str], now: datetime) -> list[PlantFigures]:
    """One for each plant, in the order given; then those that have messages though the topology knows them no more."""
    counts = count_states(session)
    gone = sorted({plant for plant, _ in counts} - set(plants))
    return [_figures(session, plant, counts, now) for plant in (*plants, *gone)]


def _figures(session: Session, plant: str, counts: dict[tuple[str, str], int], now: datetime) -> PlantFigures:
    own = {state: number for (code, state), number in counts.items() if code == plant}
    oldest = {
        state.value: at for state in UNFINISHED if own.get(state) and (at := _oldest(session, plant, state)) is not None
    }
    seconds = _latencies(session, plant, now) if own.get(State.POSTED) else []
    trailing = _trailing(session, plant) if own.get(State.POSTED) else 0
    return PlantFigures(plant, own, oldest, percentile(seconds, 50), percentile(seconds, 95), len(seconds), trailing)


def _trailing(session: Session, plant: str) -> int:
    chosen = select(literal(1)).where(Message.plant == literal(plant), TRAILING).limit(TRAILING_MOST)
    # In the order of the index that is meant: of two that find as many, SQLite takes the one that need not sort.
    chosen = chosen.order_by(Message.ordering_key, Message.state_at, Message.key_rank, Message.id)
    return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0


def _oldest(session: Session, plant: str, state: State) -> datetime | None:
    query = select(Message.received_at).where(within_state(plant, state.value))
    return session.scalar(query.order_by(*STATE_ORDER).limit(1))


def oldest_by_itself(session: Session, plant: str) -> datetime | None:
    """When the plant's oldest message was received that is unfinished and moves by itself; a dead one does not."""
    found = (_oldest(session, plant, state) for state in UNFINISHED if state is not State.DEAD)
    return min((at for at in found if at is not None), default=None)


def _latencies(session: Session, plant: str, now: datetime) -> list[float]:
    """In ascending order."""
    query = (
        select(Message.received_at, Message.state_at)
        .where(within_state(plant, State.POSTED.value))
        .order_by(*(column.desc() for column in STATE_ORDER))
        .limit(LATENCY_MESSAGES)
    )
    since = now - LATENCY_WITHIN
    return sorted(
        max(0.0, (row.state_at - row.received_at).total_seconds())
        for row in session.execute(query)
        if row.state_at >= since
    )


def percentile(ascending: Sequence[float], percent: int) -> float | None:
    """The smallest value that at least ``percent`` of a hundred values do not exceed (nearest rank)."""
    if not ascending:
        return None
    rank = -(-len(ascending) * percent // 100)
    return ascending[max(0, rank - 1)]


def count_reasons(session: Session, plant: str | None) -> list[tuple[str, int]]:
    """Reasons of dead letters, the most frequent first; looks at REASONS_AMONG of them at most."""
    dead = select(Message.reason_code).where(Message.state == State.DEAD.value)
    if plant:
        dead = dead.where(Message.plant == plant)
    looked_at = dead.order_by(Message.id.desc()).limit(REASONS_AMONG).subquery()
    number = func.count().label("number")
    query = select(looked_at.c.reason_code, number).group_by(looked_at.c.reason_code)
    found = session.execute(query.order_by(number.desc(), looked_at.c.reason_code))
    return [(row.reason_code or "", row.number) for row in found]
