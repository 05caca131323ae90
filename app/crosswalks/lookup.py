"""Show crosswalks: their entries, their history, and what waits for an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.errors import CROSSWALK_REFERENCE, parted_crosswalk_reference
from app.inbox.wakes import waits_for
from app.store.crosswalk_tables import CrosswalkChange, CrosswalkEntry
from app.store.messages_tables import Message

MISSING_MOST = 200


@dataclass(frozen=True)
class Missing:
    """A value that a crosswalk lacks, and how many messages wait for it."""

    system: str
    name: str
    value: str
    messages: int
    first_message: int


def list_entries(
    session: Session,
    system: str | None,
    name: str | None,
    limit: int,
    after: tuple[str, str, str] | None = None,
) -> Sequence[CrosswalkEntry]:
    """By system, table and value; ``after`` is the key of the last entry of the page before."""
    key = (CrosswalkEntry.system, CrosswalkEntry.name, CrosswalkEntry.value)
    query = select(CrosswalkEntry).order_by(*key).limit(limit)
    if system:
        query = query.where(CrosswalkEntry.system == system)
    if name:
        query = query.where(CrosswalkEntry.name == name)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    return session.scalars(query).all()


def list_changes(
    session: Session, system: str | None, name: str | None, limit: int, before: int | None = None
) -> Sequence[CrosswalkChange]:
    """The newest first."""
    query = select(CrosswalkChange).order_by(CrosswalkChange.id.desc()).limit(limit)
    if system:
        query = query.where(CrosswalkChange.system == system)
    if name:
        query = query.where(CrosswalkChange.name == name)
    if before is not None:
        query = query.where(CrosswalkChange.id < before)
    return session.scalars(query).all()


def list_missing(session: Session) -> Sequence[Missing]:
    """What messages wait for, the most waited for first; ``MISSING_MOST`` of them at most."""
    reference, waiting = Message.waiting_for, func.count()
    query = (
        select(reference, waiting, func.min(Message.id))
        .where(waits_for(reference.startswith(CROSSWALK_REFERENCE)))
        .group_by(reference)
        .order_by(waiting.desc(), reference)
        .limit(MISSING_MOST)
    )
    found = []
    for waited_for, messages, first in session.execute(query):
        system, name, value = parted_crosswalk_reference(waited_for or "")
        found.append(Missing(system, name, value, messages, first))
    return found
