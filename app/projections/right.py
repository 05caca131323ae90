"""The right to change the projections: one worker at a time has it, for as long as its transaction lasts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.access_tables import Lease
from app.store.leases import NEVER_HELD

RIGHT = "projections"


def have_right(session: Session) -> bool:
    """Until the transaction ends, nobody else changes the projections; False while another does."""
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    session.execute(build(Lease).values(name=RIGHT, token=None, until=NEVER_HELD).on_conflict_do_nothing())
    query = select(Lease.name).where(Lease.name == RIGHT).with_for_update(skip_locked=True)
    return session.execute(query).scalar_one_or_none() is not None
