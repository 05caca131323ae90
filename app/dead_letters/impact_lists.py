"""Pages of dead letters with what they hold up: those that hold up most first, or the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from app.dead_letters.selection import DeadFilter
from app.store.impact_tables import Impact
from app.store.messages_tables import Message

PAGE_MOST = 200


class Sort(StrEnum):
    NEWEST = "newest"
    IMPACT = "impact"


@dataclass(frozen=True)
class ListedLetter:
    message: Message
    impact: Impact


@dataclass(frozen=True)
class LetterPage:
    """``after``: the place of the last one, where there are more."""

    letters: list[ListedLetter]
    after: tuple[int, int] | None


def list_letters(
    session: Session, chosen: DeadFilter, sort: Sort, limit: int, after: Sequence[int] | None = None
) -> LetterPage:
    """A page of them; ``after``: points and id of the last of the page before. Of equal impact the newest first.

    It is read from the impacts, which a message has exactly while it is dead: asked for the messages' state and plant
    as well, SQLite reads all that are dead, and sorts them.
    """
    query = select(Message, Impact).join(Message, Message.id == Impact.message_id).where(*chosen.narrowing())
    if chosen.plant:
        query = query.where(Impact.plant == chosen.plant)
    if sort is Sort.IMPACT:
        place = (Impact.points, Impact.message_id)
        if after is not None:
            query = query.where(tuple_(*place) < tuple_(literal(after[0]), literal(after[1])))
        query = query.order_by(*(column.desc() for column in place))
    else:
        if after is not None:
            query = query.where(Impact.message_id < after[1])
        query = query.order_by(Impact.message_id.desc())
    rows = [ListedLetter(*row) for row in session.execute(query.limit(limit + 1))]
    last = rows[limit - 1].impact if len(rows) > limit else None
    return LetterPage(rows[:limit], None if last is None else (last.points, last.message_id))


def impact_of(session: Session, message_id: int) -> Impact | None:
    """Of one dead letter; None where it is none."""
    return session.get(Impact, message_id)
