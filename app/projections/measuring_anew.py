"""Have everything measured anew: what is counted is forgotten, and what happened is noted again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, func, insert, literal, or_, select
from sqlalchemy.orm import Session

from app.projections.measuring import DEAD, POSTED, Lasted
from app.store.exception_tables import BusinessException
from app.store.ledger_tables import Effect
from app.store.measure_notes import Noted
from app.store.measure_tables import Measure, MeasureNote, MeasureTotal
from app.store.messages_tables import Message, TimelineEntry
from app.store.retention_tables import Archive

DISCARDED, COMPENSATED = "discarded", "compensated"


def can_measure_anew(session: Session) -> bool:
    """Whether all that was ever measured is still here. Once messages were exported, their timelines are not: what was
    measured of them is kept, as nobody could measure it again."""
    return session.execute(select(Archive.id).limit(1)).first() is None


def forget_measures(session: Session) -> None:
    """Before all is measured anew. How old the backlog was is kept: nobody wrote down what was unfinished then."""
    for table in (Measure, MeasureTotal):
        of_ended = delete(table).where(table.measure != Lasted.BACKLOG_AGE.value)
        session.execute(of_ended, execution_options={"synchronize_session": False})
    session.execute(delete(MeasureNote), execution_options={"synchronize_session": False})


def note_all(session: Session) -> None:
    """Note all that ever happened, but for what is noted already: it happened just now, on another connection."""
    said = select(Effect.message_id).where(Effect.measured.is_(False), Effect.undo.is_(False))
    entry = TimelineEntry
    was_posted = select(entry.id).where(entry.message_id == Message.id, entry.to_state == POSTED).exists()
    posted = select(Message.id, Message.state_at).where(
        or_(Message.state == POSTED, and_(Message.state != POSTED, was_posted)), Message.id.not_in(said)
    )
    died = select(entry.message_id, func.min(entry.at)).where(entry.to_state == DEAD, entry.from_state != DEAD)
    discarded = select(Message.id, Message.state_at).where(Message.state == DISCARDED)
    undone = select(Message.id, Message.state_at).where(Message.state == COMPENSATED)
    exception = BusinessException
    resolved = select(exception.id, exception.resolved_at).where(exception.resolved_at.is_not(None))
    _note(session, Noted.POSTED, posted, Message.id)
    _note(session, Noted.DIED, died.group_by(entry.message_id), entry.message_id)
    _note(session, Noted.DISCARDED, discarded, Message.id)
    _note(session, Noted.UNDONE, undone, Message.id)
    _note(session, Noted.RAISED, select(exception.id, exception.first_seen_at), exception.id)
    _note(session, Noted.RESOLVED, resolved, exception.id)


def _note(session: Session, kind: Noted, happened: Any, subject: Any) -> None:
    noted = select(MeasureNote.subject_id).where(MeasureNote.kind == kind.value)
    rows = happened.where(subject.not_in(noted)).add_columns(literal(kind.value)).order_by(subject)
    session.execute(insert(MeasureNote).from_select(["subject_id", "at", "kind"], rows))
