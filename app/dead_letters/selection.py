"""Which dead letters a person means: ids, or a filter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.dead_letters.subject import KINDS
from app.inbox.states import State
from app.store.impact_tables import ImpactObject
from app.store.messages_tables import Message


@dataclass(frozen=True)
class DeadFilter:
    """Every field that is given must match. ``dead_after`` and ``dead_before`` bound the time of death; ``order``,
    ``lot``, ``item``, ``delivery`` and ``purchase_order`` are what it is about, known some seconds after its death."""

    plant: str | None = None
    source: str | None = None
    type: str | None = None
    reason_code: str | None = None
    dead_after: datetime | None = None
    dead_before: datetime | None = None
    order: str | None = None
    lot: str | None = None
    item: str | None = None
    delivery: str | None = None
    purchase_order: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        of_plant = [Message.plant == self.plant] if self.plant else []
        return [Message.state == State.DEAD.value, *of_plant, *self.narrowing()]

    def narrowing(self) -> list[ColumnElement[bool]]:
        """All but state and plant, which an impact says itself."""
        exact = {Message.source: self.source, Message.type: self.type, Message.reason_code: self.reason_code}
        wanted = [column == value for column, value in exact.items() if value]
        if self.dead_after is not None:
            wanted.append(Message.state_at >= self.dead_after)
        if self.dead_before is not None:
            wanted.append(Message.state_at < self.dead_before)
        return wanted + self._about()

    def _about(self) -> list[ColumnElement[bool]]:
        codes = ((kind, getattr(self, kind)) for kind in KINDS)
        query = select(ImpactObject.message_id)
        named = (query.where(ImpactObject.kind == kind, ImpactObject.code == code) for kind, code in codes if code)
        return [Message.id.in_(ids) for ids in named]


def matching_ids(session: Session, chosen: DeadFilter, limit: int, after_id: int = 0) -> list[int]:
    """Ids of dead letters that match, lowest first, beginning after ``after_id``."""
    query = select(Message.id).where(*chosen.conditions(), Message.id > after_id).order_by(Message.id).limit(limit)
    return list(session.execute(query).scalars())


def lock_dead(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Those of ``ids`` that are dead letters now, each with its lane. They stay so until the caller commits: whoever
    else acts on one of them waits, and then finds it dead no more."""
    query = select(Message.id, Message.lane).where(Message.id.in_(ids), Message.state == State.DEAD.value)
    return {row.id: row.lane for row in session.execute(query.order_by(Message.id).with_for_update())}


def dead_ids(session: Session, ids: Sequence[int]) -> set[int]:
    """Those of ``ids`` that are dead letters now, for a look at them."""
    query = select(Message.id).where(Message.id.in_(ids), Message.state == State.DEAD.value)
    return set(session.execute(query).scalars())


@dataclass(frozen=True)
class NotDead:
    """An id that somebody gave for a dead letter's. ``state`` is its message's; None where there is no message."""

    id: int
    state: str | None

    def __str__(self) -> str:
        return f"{self.id} ({self.state or 'unknown'})"

    def wire(self) -> dict[str, int | str | None]:
        return {"id": self.id, "state": self.state}


def name_not_dead(session: Session, ids: Sequence[int], dead: Collection[int]) -> list[NotDead]:
    """Those of ``ids`` that are none of ``dead``, each with what it is instead."""
    others = sorted(set(ids).difference(dead))
    found = {
        row.id: row.state for row in session.execute(select(Message.id, Message.state).where(Message.id.in_(others)))
    }
    return [NotDead(key, found.get(key)) for key in others]
