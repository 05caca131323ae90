"""Where messages stand at one system as of its snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.postings.ledger import NO_EFFECT, PostingState
from app.reconcile.causes import Cause
from app.store.messages_tables import Message
from app.store.postings_tables import Posting, PostingAttempt
from config.own_messages import said_by

CHUNK = 500


@dataclass(frozen=True)
class Side:
    """A system as it was at ``taken_at``: what it got later it lacks. What happened up to ``cut_off`` is compared,
    which is no earlier than that."""

    system: str
    taken_at: datetime
    cut_off: datetime


class Standing:
    """Where messages stand at one system, by message and type of event."""

    def __init__(self, session: Session, side: Side, sources: Mapping[int, str]) -> None:
        self._own = (side.system, said_by(side.system))
        self._sources, self._taken_at = sources, side.taken_at
        self._states: dict[tuple[int, str], tuple[PostingState, datetime]] = {}
        self._begun: set[tuple[int, str]] = set()
        for chunk in chunks(sorted(sources)):
            query = select(Posting.id, Posting.message_id, Posting.kind, Posting.state, Posting.updated_at).where(
                Posting.message_id.in_(chunk), Posting.target == side.system, Posting.reverses_id.is_(None)
            )
            late: dict[int, tuple[int, str]] = {}
            for row in session.execute(query.order_by(Posting.id)):
                self._states[row.message_id, row.kind] = (PostingState(row.state), row.updated_at)
                if row.updated_at > side.taken_at:
                    late[row.id] = row.message_id, row.kind
            self._begun |= {late[key] for key in _handed_over(session, late, side.taken_at)}

    def cause(self, message_id: int, event_type: str, state: str, happened_at: datetime) -> tuple[Cause | None, bool]:
        """Why the system lacks the message's events of this type, and whether it surely does."""
        if self._sources.get(message_id) in self._own:
            return (None, True) if happened_at <= self._taken_at else (Cause.TIMING, True)
        posting, at = self._states.get((message_id, event_type), (None, None))
        if posting is PostingState.POSTED:
            is_late = at is not None and at > self._taken_at
            return (Cause.TIMING, (message_id, event_type) not in self._begun) if is_late else (None, True)
        if posting in (PostingState.SENDING, PostingState.UNKNOWN, PostingState.COMPENSATING):
            return Cause.UNKNOWN_OUTCOME, False
        if state == State.DEAD:
            return Cause.DEAD, True
        if state == State.WAITING:
            return Cause.WAITING, True
        if state != State.POSTED:
            return Cause.IN_FLIGHT, True
        if posting is None:
            return Cause.NOT_ROUTED, True
        return (Cause.REFUSED if posting is PostingState.REFUSED else Cause.IN_FLIGHT), True


def _handed_over(session: Session, postings: Collection[int], until: datetime) -> set[int]:
    """Those of these postings that the target may have had by then, whenever it said so."""
    no_effect = PostingAttempt.outcome.is_not(None) & PostingAttempt.outcome.in_(NO_EFFECT)
    query = select(PostingAttempt.posting_id).where(
        PostingAttempt.posting_id.in_(sorted(postings)), PostingAttempt.started_at <= until, ~no_effect
    )
    return set(session.scalars(query)) if postings else set()


def standing_of(session: Session, side: Side, ids: Collection[int]) -> tuple[Standing, Mapping[int, str]]:
    """Of these messages, with the state of each."""
    sources: dict[int, str] = {}
    states: dict[int, str] = {}
    for chunk in chunks(sorted(ids)):
        for row in session.execute(select(Message.id, Message.source, Message.state).where(Message.id.in_(chunk))):
            sources[row.id], states[row.id] = row.source, row.state
    return Standing(session, side, sources), states


def chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
