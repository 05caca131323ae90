"""Exact counts of messages by plant, type and state, without walking the messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import delete, func, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.messages_tables import StateChange, StateCount
from app.store.prepared import Prepared

FOLD_LIMIT = 20_000

CountKey = tuple[str, str, str]
"""plant, type, state"""


def fold_changes(session: Session) -> Counter[CountKey]:
    """Move what transactions noted in ``state_changes`` into ``state_counts``; returns what was added."""
    added: Counter[CountKey] = Counter()
    for row in _FOLD.rows(session):
        added[row.plant, row.type, row.state] += row.change
    if added:
        values = [{"plant": p, "type": t, "state": s, "count": n} for (p, t, s), n in sorted(added.items())]
        _ADD.run_each(session, values)
    return added


def _folding() -> Any:
    chosen = select(_CHANGE.id).order_by(_CHANGE.id).limit(FOLD_LIMIT).with_for_update(skip_locked=True)
    folding = chosen.cte("folding").prefix_with("MATERIALIZED", dialect="postgresql")
    gone = delete(table_of(StateChange)).where(_CHANGE.id.in_(select(folding.c.id)))
    return gone.returning(_CHANGE.plant, _CHANGE.type, _CHANGE.state, _CHANGE.change)


def _adding(build: Any) -> Any:
    statement = build(table_of(StateCount))
    return statement.on_conflict_do_update(
        index_elements=["plant", "type", "state"], set_={"count": _COUNT["count"] + statement.excluded.count}
    )


def _counting() -> Any:
    folded = select(_COUNT.plant, _COUNT.type, _COUNT.state, _COUNT["count"].label("number"))
    pending = select(_CHANGE.plant, _CHANGE.type, _CHANGE.state, _CHANGE.change.label("number"))
    both = union_all(folded, pending).subquery()
    key = (both.c.plant, both.c.type, both.c.state)
    return select(*key, func.sum(both.c.number).label("number")).group_by(*key)


_CHANGE, _COUNT = table_of(StateChange).c, table_of(StateCount).c
_FOLD, _COUNTS = Prepared(_folding()), Prepared(_counting())
_ADD = Prepared(_adding(postgresql.insert), sqlite=_adding(sqlite.insert))


def message_counts(session: Session) -> Counter[CountKey]:
    """How many messages are in each (plant, type, state) now; in one statement, so that no fold comes in between."""
    return Counter({(row.plant, row.type, row.state): int(row.number) for row in _COUNTS.rows(session)})
