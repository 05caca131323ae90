"""A person says what became of a posting of which the target cannot tell.

Nobody but the target or a named person ends an unknown outcome: until then a requeue asks the target first, and sends
nothing while it does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.dead_letters.repair import DeadLetterError, requeue
from app.inbox.states import Move, State, Step, move_messages
from app.inbox.timeline import tell_without_move
from app.postings.ledger import SAID_NOT_POSTED, SAID_POSTED, PostingState
from app.postings.reversals import BY_HAND
from app.postings.trailing import ANEW
from app.store.messages_tables import Lane, Message
from app.store.postings_tables import Posting, PostingAttempt

Outcome = Literal["posted", "not_posted"]


@dataclass(frozen=True)
class Decision:
    """``reference``: the target's own name for the document, where the person found it there. ``stays_dead``: a dead
    letter is not requeued by it, so that it can be corrected, discarded or reversed."""

    outcome: Outcome
    reason: str
    reference: str | None = None
    stays_dead: bool = False


@dataclass(frozen=True)
class Decided:
    """What the posting and its message are now."""

    posting_id: int
    posting_state: PostingState
    message_id: int
    message_state: State
    plant: str


class NoSuchPosting(DeadLetterError):
    """There is no posting of this id."""


class NotDecidable(DeadLetterError):
    """There is nothing to decide, or to be made again; ``state`` is what the posting is at present."""

    def __init__(self, reason: str, state: str) -> None:
        super().__init__(reason)
        self.state = state


def decide(session: Session, posting_id: int, decision: Decision, actor: str, now: datetime) -> Decided:
    """End the unknown outcome of this posting by a person's word; its message goes on with what is left.

    1. Hold the lane, so that no worker begins with the message meanwhile, then the message, then the posting.
    2. Refuse where a worker is at work on it, or where somebody else was faster.
    3. Write what was said: to the posting and its attempts, the timeline and the trail.

    ``not_posted``: it is sent again without asking, under the same key. Raises NoSuchPosting or NotDecidable.
    """
    posting, message = hold_posting(session, posting_id, now)
    if not is_undecided(posting, message):
        raise NotDecidable(_why_not(posting), posting.state)
    note = _told(posting, decision)
    _settle(session, posting, decision, note, actor, now)
    state = _go_on(session, message, decision, note, actor, now)
    detail: dict[str, Any] = {"outcome": decision.outcome, "reason": decision.reason, "target": posting.target}
    detail |= {"message": message.id} | ({"reference": decision.reference} if decision.reference else {})
    record(session, actor, "posting.decided", f"posting:{posting_id}", detail, now)
    ended = PostingState.POSTED if decision.outcome == "posted" else PostingState.PLANNED
    return Decided(posting_id, ended, message.id, state, message.plant)


def is_undecided(posting: Posting, message: Message) -> bool:
    """Whether nobody knows what the call did: told so, or under way when its message died, so that nobody asks."""
    was_under_way = posting.state == PostingState.SENDING and message.state == State.DEAD
    return posting.state == PostingState.UNKNOWN or was_under_way


def hold_posting(session: Session, posting_id: int, now: datetime) -> tuple[Posting, Message]:
    """Posting and message, locked, and no worker has them in hand. The lane first, as workers do, so that nobody waits
    for another in a circle. Raises NoSuchPosting, or NotDecidable where a worker is at work on it."""
    place = select(Message.id, Message.plant, Message.lane).join(Posting, Posting.message_id == Message.id)
    found = session.execute(place.where(Posting.id == posting_id)).one_or_none()
    if found is None:
        raise NoSuchPosting(f"There is no posting {posting_id}.")
    lanes = select(Lane).where(Lane.plant == found.plant, Lane.lane == found.lane).with_for_update()
    lane = session.scalar(lanes)
    message = session.scalars(select(Message).where(Message.id == found.id).with_for_update()).one()
    posting = session.scalars(select(Posting).where(Posting.id == posting_id).with_for_update()).one()
    if message.lane != found.lane or _is_held(lane, message, now):
        told = f"Posting {posting_id} is being worked on right now; look again in a minute what became of it."
        raise NotDecidable(told, posting.state)
    if lane is not None and lane.lease_token is not None and lane.lease_token == message.lease_token:
        # Its lease has ended, or so the clock says: whoever held it finds the lane lost and writes nothing more.
        session.execute(_only(update(Lane).where(Lane.plant == lane.plant, Lane.lane == lane.lane), lease_token=None))
    return posting, message


def _is_held(lane: Lane | None, message: Message, now: datetime) -> bool:
    if lane is None or message.lease_token is None:
        return False
    return lane.lease_token == message.lease_token and now < lane.lease_until


def _why_not(posting: Posting) -> str:
    there = f", there as {posting.reference}" if posting.reference else ""
    told = f"Posting {posting.id} is {posting.state}{there}; only an unknown outcome can be decided."
    if posting.state == PostingState.SENDING:
        told += " It is under way, or its worker ended: the target is asked within minutes."
    return told


def _told(posting: Posting, decision: Decision) -> str:
    what = f"{posting.target} {'reversal' if posting.reverses_id is not None else 'posting'} {posting.id}"
    there = f" as {decision.reference}" if decision.reference else ""
    said = f"was made{there}" if decision.outcome == "posted" else "was not made"
    return f"Decided: {what} {said}. {decision.reason}"


def _settle(session: Session, posting: Posting, decision: Decision, note: str, actor: str, now: datetime) -> None:
    """The posting as the person says it is. What a reversal undid is then ``compensated``."""
    posted = decision.outcome == "posted"
    values: dict[str, Any] = {"attempts": posting.attempts + 1, "reason_code": None, "updated_at": now, **ANEW}
    if posted:
        reference = decision.reference or (BY_HAND if posting.reverses_id is not None else None)
        proof = {"decided": decision.outcome, "actor": actor, "reason": decision.reason}
        values |= {"state": PostingState.POSTED.value, "reference": reference, "answer": proof, "reason": None}
    else:
        values |= {"state": PostingState.PLANNED.value, "reason": note}
    unknown = update(Posting).where(Posting.id == posting.id, Posting.state == posting.state)
    session.execute(_only(unknown, **values))
    attempt = {"posting_id": posting.id, "number": posting.attempts + 1, "started_at": now, "ended_at": now}
    said = SAID_POSTED if posted else SAID_NOT_POSTED
    session.execute(
        insert(PostingAttempt).values(attempt | {"worker": actor[:120], "outcome": said, "detail": decision.reason})
    )
    if posted and posting.reverses_id is not None:
        undone = update(Posting).where(Posting.id == posting.reverses_id)
        session.execute(_only(undone, state=PostingState.COMPENSATED.value, updated_at=now))


def _go_on(session: Session, message: Message, decision: Decision, note: str, actor: str, now: datetime) -> State:
    """Due at once with what is left. A posted message of which something trails, or that is being reversed, stays
    posted, as everywhere."""
    state = State(message.state)
    if state is State.DEAD and decision.stays_dead:
        tell_without_move(session, message.id, state, note, actor, now)
        return state
    if state is State.DEAD:
        requeue(session, [message.id], actor, now, note=note)
    elif state is State.POSTED:
        move = Move(message.id, state, Step.POST, now, lane=message.lane, note=note)
        move_messages(session, [move], now, actor=actor)
    else:
        move = Move(message.id, State.WAITING, Step.POST, now, lane=message.lane, reason_code="decided", reason=note)
        move_messages(session, [move], now, actor=actor)
    return State(session.scalars(select(Message.state).where(Message.id == message.id)).one())


def _only(statement: Any, **values: Any) -> Any:
    return statement.values(values).execution_options(synchronize_session=False)
