"""Named rights that one process holds at a time, across processes and hosts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.access_tables import Lease
from app.store.base import table_of
from app.store.prepared import Prepared

CLOCKS_DIFFER_SECONDS = 60.0
NEVER_HELD = datetime.fromisoformat("2000-01-01T00:00Z")

_ONE = table_of(Lease).c
_NOW: Any = bindparam("now", type_=_ONE.until.type)
_BEYOND: Any = bindparam("beyond", type_=_ONE.until.type)
_TOKEN: Any = bindparam("b_token", type_=_ONE.token.type)
_KNOW = Prepared(
    postgresql.insert(table_of(Lease)).on_conflict_do_nothing(),
    sqlite=sqlite.insert(table_of(Lease)).on_conflict_do_nothing(),
)
_TAKE = Prepared(
    update(table_of(Lease))
    .where(_ONE.name == bindparam("of_name"), or_(_ONE.until <= _NOW, _ONE.until > _BEYOND, _ONE.token == _TOKEN))
    .values(token=_TOKEN, until=bindparam("b_until"))
)
_KEEP = Prepared(
    update(table_of(Lease))
    .where(_ONE.name == bindparam("of_name"), _ONE.token == bindparam("of_token"))
    .values(until=bindparam("b_until"))
)
_UNTIL = Prepared(select(_ONE.until).where(_ONE.name == bindparam("of_name")))


def take_lease(
    session: Session, name: str, token: str, now: datetime, seconds: float, longest_seconds: float = 0.0
) -> bool:
    """Hold ``name`` for so long, or longer if it is ours already; False while another token holds it.

    A lease that would last longer than that from now, or than others take it for at the most (``longest_seconds``), was
    taken by a clock that has been set back since: it is over.
    """
    _KNOW.run_each(session, [{"name": name, "token": None, "until": NEVER_HELD}])
    until = now + timedelta(seconds=seconds)
    beyond = now + timedelta(seconds=max(seconds, longest_seconds) + CLOCKS_DIFFER_SECONDS)
    return bool(_TAKE.run(session, of_name=name, b_token=token, now=now, beyond=beyond, b_until=until))


def keep_lease(session: Session, name: str, token: str, now: datetime, seconds: float) -> bool:
    """Hold ``name`` for so long again, if nobody has taken it since; 0 seconds give it back."""
    until = now + timedelta(seconds=seconds) if seconds else NEVER_HELD
    return bool(_KEEP.run(session, of_name=name, of_token=token, b_until=until))


def lease_end(session: Session, name: str) -> datetime:
    """Until when ``name`` was taken last, by the clock of whoever took it."""
    until: datetime | None = _UNTIL.scalar(session, of_name=name)
    return until or NEVER_HELD


def lease_is_free(session: Session, name: str, now: datetime, seconds: float) -> bool:
    """Whether ``name`` can be taken for so long now."""
    until: datetime | None = _UNTIL.scalar(session, of_name=name)
    beyond = now + timedelta(seconds=seconds + CLOCKS_DIFFER_SECONDS)
    return until is None or not now < until <= beyond
