"""Exact counts of messages by plant, type and state, without walking the messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.messages_tables import StateChange, StateCount

FOLD_LIMIT = 20_000

CountKey = tuple[str, str, str]
"""plant, type, state"""


def fold_changes(session: Session) -> Counter[CountKey]:
    """Move what transactions noted in ``state_changes`` into ``state_counts``; returns what was added."""
    chosen = select(StateChange.id).order_by(StateChange.id).limit(FOLD_LIMIT).with_for_update(skip_locked=True)
    folding = chosen.cte("folding").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = session.execute(
        delete(StateChange)
        .where(StateChange.id.in_(select(folding.c.id)))
        .returning(StateChange.plant, StateChange.type, StateChange.state, StateChange.change)
        .execution_options(synchronize_session=False)
    )
    added: Counter[CountKey] = Counter()
    for row in rows:
        added[row.plant, row.type, row.state] += row.change
    if added:
        build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
        statement = build(StateCount)
        statement = statement.on_conflict_do_update(
            index_elements=["plant", "type", "state"], set_={"count": StateCount.count + statement.excluded.count}
        )
        values = [{"plant": p, "type": t, "state": s, "count": n} for (p, t, s), n in sorted(added.items())]
        session.connection().execute(statement, values)
    return added


def message_counts(session: Session) -> Counter[CountKey]:
    """How many messages are in each (plant, type, state) now."""
    counts: Counter[CountKey] = Counter()
    for row in session.execute(
        select(StateCount.plant, StateCount.type, StateCount.state, StateCount.count.label("messages"))
    ):
        counts[row.plant, row.type, row.state] += row.messages
    pending = select(StateChange.plant, StateChange.type, StateChange.state, func.sum(StateChange.change)).group_by(
        StateChange.plant, StateChange.type, StateChange.state
    )
    for plant, kind, state, change in session.execute(pending):
        counts[plant, kind, state] += int(change)
    return counts
