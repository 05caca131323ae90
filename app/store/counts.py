"""Exact counts of messages by plant, type and state, without walking the messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import delete, func, select, union_all
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
    """How many messages are in each (plant, type, state) now; in one statement, so that no fold comes in between."""
    folded = select(StateCount.plant, StateCount.type, StateCount.state, StateCount.count.label("number"))
    pending = select(StateChange.plant, StateChange.type, StateChange.state, StateChange.change.label("number"))
    both = union_all(folded, pending).subquery()
    key = (both.c.plant, both.c.type, both.c.state)
    query = select(*key, func.sum(both.c.number)).group_by(*key)
    return Counter({(plant, kind, state): int(number) for plant, kind, state, number in session.execute(query)})
