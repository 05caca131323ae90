"""Named rights that one process holds at a time, across processes and hosts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.access_tables import Lease

CLOCKS_DIFFER_SECONDS = 60.0
NEVER_HELD = datetime.fromisoformat("2000-01-01T00:00Z")


def take_lease(
    session: Session, name: str, token: str, now: datetime, seconds: float, longest_seconds: float = 0.0
) -> bool:
    """Hold ``name`` for so long, or longer if it is ours already; False while another token holds it.

    A lease that would last longer than that from now, or than others take it for at the most (``longest_seconds``), was
    taken by a clock that has been set back since: it is over.
    """
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    session.execute(build(Lease).values(name=name, token=None, until=NEVER_HELD).on_conflict_do_nothing())
    until = now + timedelta(seconds=seconds)
    beyond = now + timedelta(seconds=max(seconds, longest_seconds) + CLOCKS_DIFFER_SECONDS)
    statement = (
        update(Lease)
        .where(Lease.name == name, or_(Lease.until <= now, Lease.until > beyond, Lease.token == token))
        .values(token=token, until=until)
        .execution_options(synchronize_session=False)
    )
    result: Any = session.execute(statement)
    return bool(result.rowcount)


def keep_lease(session: Session, name: str, token: str, now: datetime, seconds: float) -> bool:
    """Hold ``name`` for so long again, if nobody has taken it since; 0 seconds give it back."""
    until = now + timedelta(seconds=seconds) if seconds else NEVER_HELD
    statement = update(Lease).where(Lease.name == name, Lease.token == token).values(until=until)
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return bool(result.rowcount)


def lease_end(session: Session, name: str) -> datetime:
    """Until when ``name`` was taken last, by the clock of whoever took it."""
    return session.execute(select(Lease.until).where(Lease.name == name)).scalar_one_or_none() or NEVER_HELD


def lease_is_free(session: Session, name: str, now: datetime, seconds: float) -> bool:
    """Whether ``name`` can be taken for so long now."""
    until = session.execute(select(Lease.until).where(Lease.name == name)).scalar_one_or_none()
    beyond = now + timedelta(seconds=seconds + CLOCKS_DIFFER_SECONDS)
    return until is None or not now < until <= beyond
