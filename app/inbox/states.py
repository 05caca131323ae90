"""The states of a message, the moves between them, and the only code that makes a move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.orm import Session

from app.inbox.deaths import close_impacts, open_impacts
from app.store.base import table_of
from app.store.measure_notes import Noted, note
from app.store.messages_tables import Message, StateChange, TimelineEntry
from app.store.prepared import Prepared
from app.telemetry import metrics


class State(StrEnum):
    RECEIVED = "received"
    TRANSFORMED = "transformed"
    ENRICHED = "enriched"
    POSTED = "posted"
    WAITING = "waiting"
    DEAD = "dead"
    DISCARDED = "discarded"
    COMPENSATED = "compensated"


class Step(StrEnum):
    """What is to be done next with a message that is not finished."""

    TRANSFORM = "transform"
    ENRICH = "enrich"
    POST = "post"


TERMINAL = frozenset({State.POSTED, State.DISCARDED, State.COMPENSATED})
"""Nothing more happens by itself, and later messages of the same key need not wait. ``dead`` is not among them: a
person decides, and until then it holds its own key. A posted message with a step is posted all the same: what is not
required of it trails, or a person has it reversed. Then it is ``compensated`` in the end, and dead where the reversal
itself was refused."""

MOVES: Mapping[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.TRANSFORMED, State.WAITING, State.DEAD, State.DISCARDED}),
    State.TRANSFORMED: frozenset({State.ENRICHED, State.WAITING, State.DEAD, State.DISCARDED, State.COMPENSATED}),
    State.ENRICHED: frozenset({State.POSTED, State.WAITING, State.DEAD, State.DISCARDED, State.COMPENSATED}),
    State.WAITING: frozenset(
        {
            State.RECEIVED,
            State.TRANSFORMED,
            State.ENRICHED,
            State.POSTED,
            State.WAITING,
            State.DEAD,
            State.DISCARDED,
            State.COMPENSATED,
        }
    ),
    State.DEAD: frozenset({State.RECEIVED, State.ENRICHED, State.DISCARDED, State.COMPENSATED}),
    State.POSTED: frozenset({State.COMPENSATED, State.DEAD}),
    State.DISCARDED: frozenset(),
    State.COMPENSATED: frozenset(),
}

STEP_OF: Mapping[State, Step] = {
    State.RECEIVED: Step.TRANSFORM,
    State.TRANSFORMED: Step.ENRICH,
    State.ENRICHED: Step.POST,
}
"""What follows a state. A waiting message keeps the step that it waits before."""


class Requeued(StrEnum):
    """How a person had a message requeued whose place was not known while it was dead: later ones of its key may have
    taken effect meanwhile."""

    IN_ORDER = "in_order"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True)
class Through:
    """A state that a message passes at once on its way to the next, and what its timeline says of that."""

    state: State
    note: str | None = None


@dataclass(frozen=True)
class Move:
    """One message's next state. ``step`` and ``due_at`` are given exactly when something is to be done next.
    ``through``: the state that it passes on the way, allowed and told as a move of its own.

    A move to ``waiting`` names what it waits for (or only a time), a move to ``dead`` its reason. Whatever is counted
    begins anew with a move that does not hand it on.
    """

    message_id: int
    to: State
    step: Step | None = None
    due_at: datetime | None = None
    lane: int = 0
    attempts: int = 0
    workers_lost: int = 0
    retries: int = 0
    retrying_since: datetime | None = None
    waiting_since: datetime | None = None
    waiting_for: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    reason_field: str | None = None
    note: str | None = None
    through: Through | None = None


_INSERT_CHANGES, _INSERT_ENTRIES = Prepared(insert(table_of(StateChange))), Prepared(insert(table_of(TimelineEntry)))
_TABLE = table_of(Message)
_ROW = _TABLE.c
_UPDATE = Prepared(
    update(_TABLE)
    .where(_ROW.id.in_(bindparam("b_ids", expanding=True)), _ROW.state == bindparam("b_from"))
    .values(
        state=bindparam("b_to"),
        step=bindparam("b_step"),
        due_at=bindparam("b_due_at"),
        lane=bindparam("b_lane"),
        lease_token=None,
        attempts=bindparam("b_attempts"),
        workers_lost=bindparam("b_workers_lost"),
        retries=bindparam("b_retries"),
        retrying_since=bindparam("b_retrying_since"),
        waiting_since=bindparam("b_waiting_since"),
        waiting_for=bindparam("b_waiting_for"),
        reason_code=bindparam("b_reason_code"),
        reason=bindparam("b_reason"),
        reason_field=bindparam("b_reason_field"),
        state_at=bindparam("b_state_at"),
    )
)


_LOCKING = (
    select(
        *(_ROW.id, _ROW.state, _ROW.plant, _ROW.type, _ROW.received_at, _ROW.state_at, _ROW.due_at),
        *(_ROW.waiting_for, _ROW.step, _ROW.attempts),
    )
    .where(_ROW.id.in_(bindparam("ids", expanding=True)))
    .order_by(_ROW.id)
    .with_for_update()
)
_LOCK, _LOCK_HELD = Prepared(_LOCKING), Prepared(_LOCKING.where(_ROW.lease_token == bindparam("token")))
_STATES = {state.value: state for state in State}


@dataclass(frozen=True)
class _Current:
    state: State
    plant: str
    type: str
    received_at: datetime
    state_at: datetime
    due_at: datetime | None
    waiting_for: str | None
    step: str | None
    attempts: int

    def looked_again(self, move: Move) -> bool:
        """Whether it goes on waiting for the same thing: no news, so nothing is written but when to look next."""
        waits = self.state is move.to and move.to in (State.WAITING, State.POSTED)
        return waits and self.waiting_for is not None and self.waiting_for == move.waiting_for

    def allows(self, move: Move) -> bool:
        if move.through is not None:
            return move.through.state in MOVES[self.state] and move.to in MOVES[move.through.state]
        return move.to in MOVES[self.state] or self.is_kept_by(move)

    def is_kept_by(self, move: Move) -> bool:
        """Whether it is posted and stays so, while it is reversed or something trails: its step is set, or cleared when
        nothing trails any more. Without a step before and after it would be posted a second time."""
        return self.state is move.to is State.POSTED and (move.step is not None or self.step is not None)


def move_messages(
    session: Session, moves: Sequence[Move], now: datetime, actor: str = "lineside", lease_token: str | None = None
) -> set[int]:
    """Make the moves that are still allowed and return the ids that moved.

    With a ``lease_token`` only messages still held under it move: a worker whose lease has ended changes nothing.
    Each message moves at most once a call. Timeline rows and counts are written in the same transaction; one that goes
    on waiting for the same thing leaves none.
    """
    if not moves:
        return set()
    current = _lock(session, [move.message_id for move in moves], lease_token)
    allowed = [m for m in moves if m.message_id in current and current[m.message_id].allows(m)]
    if not allowed:
        return set()
    _write(session, [(m.message_id, _parameters(m, current[m.message_id], now)) for m in allowed])
    news = [m for m in allowed if not current[m.message_id].looked_again(m)]
    if news:
        _tell(session, news, current, now, actor)
    return {move.message_id for move in allowed}


def _write(session: Session, changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """One statement for all that change alike, which most of a batch do: binding a row costs more than writing it."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for message_id, parameters in changes:
        alike.setdefault(tuple(parameters.values()), []).append(message_id)
    names = tuple(changes[0][1])
    for values, ids in alike.items():
        _UPDATE.run(session, **dict(zip(names, values, strict=True)), b_ids=ids)


def _tell(session: Session, moves: Sequence[Move], current: Mapping[int, _Current], now: datetime, actor: str) -> None:
    """Timeline, counts and, once it is committed, the metrics."""
    _INSERT_ENTRIES.run_each(
        session, [entry for m in moves for entry in _entries(m, current[m.message_id].state, now, actor)]
    )
    changes: Counter[tuple[str, str, str]] = Counter()
    for move in moves:
        was = current[move.message_id]
        changes[was.plant, was.type, was.state] -= 1
        changes[was.plant, was.type, move.to] += 1
    record_changes(session, changes)
    open_impacts(session, {m.message_id: current[m.message_id].plant for m in moves if m.to is State.DEAD}, now)
    note(session, Noted.DISCARDED, [m.message_id for m in moves if m.to is State.DISCARDED], now)
    close_impacts(session, [m.message_id for m in moves if current[m.message_id].state is State.DEAD])
    ages = [
        (current[m.message_id], to, (now - current[m.message_id].received_at).total_seconds())
        for m in moves
        if not current[m.message_id].is_kept_by(m)
        for to in ([m.to] if m.through is None else [m.through.state, m.to])
    ]
    event.listen(session, "after_commit", lambda _: _observe(ages), once=True)


def _observe(ages: Sequence[tuple[_Current, State, float]]) -> None:
    """Metrics tell what was committed, so they are told after the commit."""
    for was, to, seconds in ages:
        metrics.observe_moves(was.plant, was.type, to.value)
        metrics.observe_stage(was.plant, to.value, seconds)


def _lock(session: Session, ids: Sequence[int], lease_token: str | None) -> dict[int, _Current]:
    """The rows as they are now, locked in the order of their ids so that two callers cannot wait for each other."""
    query, held = (_LOCK, {}) if lease_token is None else (_LOCK_HELD, {"token": lease_token})
    rows = query.rows(session, ids=list(ids), **held)
    return {row[0]: _Current(_STATES[row[1]], *row[2:]) for row in rows}


def _parameters(move: Move, was: _Current, now: datetime) -> dict[str, Any]:
    again = was.looked_again(move)
    # It was woken while somebody looked whether it may go on: that look may have missed what woke it. Each claim counts
    # one and a wake counts anew, which no clock can blur: this one was read before the row could be locked.
    woken = again and was.attempts == 0
    return {
        "b_from": was.state.value,
        "b_to": move.to.value,
        "b_step": move.step.value if move.step else None,
        "b_due_at": now if woken else move.due_at,
        "b_lane": move.lane,
        "b_attempts": 0 if woken else move.attempts,
        "b_workers_lost": move.workers_lost,
        "b_retries": move.retries,
        "b_retrying_since": move.retrying_since,
        "b_waiting_since": move.waiting_since,
        "b_waiting_for": move.waiting_for,
        "b_reason_code": move.reason_code,
        "b_reason": move.reason,
        "b_reason_field": move.reason_field,
        "b_state_at": was.state_at if again or was.is_kept_by(move) else now,
    }


def _entries(move: Move, was: State, now: datetime, actor: str) -> Iterator[dict[str, Any]]:
    way = [(was, move.to, move.note or move.reason)]
    if move.through is not None:
        passed = move.through
        way = [(was, passed.state, passed.note), (passed.state, move.to, move.note or move.reason)]
    for before, to, told in way:
        said = {"from_state": before.value, "to_state": to.value, "note": told}
        yield {"message_id": move.message_id, "at": now, "actor": actor} | said


def record_changes(session: Session, changes: Mapping[tuple[str, str, str], int]) -> None:
    """Note how many messages entered or left each (plant, type, state) in this transaction."""
    rows = [
        {"plant": plant, "type": kind, "state": state, "change": change}
        for (plant, kind, state), change in changes.items()
        if change
    ]
    _INSERT_CHANGES.run_each(session, rows)
