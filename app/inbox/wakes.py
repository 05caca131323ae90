"""Wake what waits for something that has arrived, however many that are: a few at once, thousands in portions.

Thousands in one transaction would be locked for as long as it takes, by the worker that brought what they wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, literal, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.store.base import table_of
from app.store.messages_tables import Message
from app.store.order_tables import OpenWake
from app.store.prepared import Prepared

PORTION = 500


_ROW = table_of(Message).c


def waits_for(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those that wait for what the condition says, posted ones among them of which something is to be done. The state
    is written so that no index on it is of use: SQLite would take that one, and read all that wait instead of the few
    that wait for this."""
    return condition & (_ROW.state + literal("")).in_([State.WAITING.value, State.POSTED.value])


def wake(session: Session, references: Iterable[str], now: datetime, among: Sequence[int] | None = None) -> int:
    """Make everything that waits for one of these due now; returns how many messages that were.

    ``among``: only these ids. What is woken begins its looks anew, soon after each other. Rows are locked in the order
    of their ids, as everywhere. What is due already is woken too: a look that begins before this is committed would see
    nothing of what has arrived, and nothing would tell it so.
    """
    wanted = list(references)
    woken = 0
    for start in range(0, len(wanted), 500):
        statement, only = (_WAKE, {}) if among is None else (_WAKE_AMONG, {"among": list(among)})
        woken += statement.run(session, wanted=wanted[start : start + 500], now=now, **only)
    return woken


def _waking(*more: ColumnElement[bool]) -> Any:
    waiting = select(_ROW.id).where(waits_for(_ROW.waiting_for.in_(bindparam("wanted", expanding=True))), *more)
    locked = waiting.order_by(_ROW.id).with_for_update()
    now = bindparam("now", type_=_ROW.due_at.type)
    soonest = case((_ROW.due_at > now, now), else_=_ROW.due_at)
    return update(table_of(Message)).where(_ROW.id.in_(locked)).values(due_at=soonest, attempts=0)


_WAKE, _WAKE_AMONG = Prepared(_waking()), Prepared(_waking(_ROW.id.in_(bindparam("among", expanding=True))))
_OPEN_WAKE = table_of(OpenWake).c
_NEXT_OPEN = Prepared(
    select(_OPEN_WAKE.reference, _OPEN_WAKE.after_id).order_by(_OPEN_WAKE.opened_at, _OPEN_WAKE.reference).limit(1)
)
_WAITING = Prepared(
    select(_ROW.id).where(waits_for(_ROW.waiting_for.in_(bindparam("wanted", expanding=True)))).limit(PORTION + 1)
)


def wake_arrived(session: Session, references: Iterable[str], now: datetime) -> None:
    """Make due what waits for one of these: at once where that is a portion at most, else by the relay from its next
    round on."""
    wanted = sorted(set(references))
    for start in range(0, len(wanted), PORTION):
        chunk = wanted[start : start + PORTION]
        ids = _WAITING.scalars(session, wanted=chunk)
        if len(ids) > PORTION:
            _open(session, chunk, now)
        elif ids:
            wake(session, chunk, now, among=ids)


def _open(session: Session, references: list[str], now: datetime) -> None:
    waited_for = select(Message.waiting_for).where(waits_for(Message.waiting_for.in_(references))).distinct()
    found = sorted(reference for reference in session.execute(waited_for).scalars() if reference is not None)
    rows = [{"reference": reference, "after_id": 0, "again": False, "opened_at": now} for reference in found]
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    arrived_again = build(OpenWake).on_conflict_do_update(index_elements=["reference"], set_={"again": true()})
    session.connection().execute(arrived_again, rows)


def wake_portion(session: Session, now: datetime) -> bool:
    """Wake the next portion of the wake that was served longest ago; False where none is open. Each message is woken
    once for an arrival, however soon it waits again."""
    row = _NEXT_OPEN.first(session)
    if row is None:
        return False
    waiting = select(Message.id).where(waits_for(Message.waiting_for == row.reference), Message.id > row.after_id)
    ids = session.execute(waiting.order_by(Message.id).limit(PORTION)).scalars().all()
    # Messages before the wake's own row, as whoever adds to it has them too.
    if ids:
        wake(session, [row.reference], now, among=ids)
    this = OpenWake.reference == row.reference
    onward = update(OpenWake).where(this).execution_options(synchronize_session=False)
    if len(ids) == PORTION:
        session.execute(onward.values(after_id=ids[-1], opened_at=now))
        return True
    ended: Any = session.execute(
        delete(OpenWake).where(this, OpenWake.again.is_(False)).execution_options(synchronize_session=False)
    )
    if not ended.rowcount:
        session.execute(onward.values(after_id=0, again=False, opened_at=now))
    return True
