"""A person has a posting made again that is not required, and ended without its message: it was refused, or nobody asks
for it any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.dead_letters.decide import Decided, NotDecidable, hold_posting
from app.inbox.order import lane_number
from app.inbox.states import Move, State, Step, move_messages
from app.postings.ledger import SUPERSEDED, WITHDRAWN, PostingState
from app.postings.reversals import open_orders
from app.postings.trailing import ANEW
from app.store.messages_tables import Message
from app.store.postings_tables import Posting


def requeue_posting(
    session: Session, posting_id: int, reason: str, actor: str, now: datetime, lanes_of: Callable[[str], int]
) -> Decided:
    """Make this posting due again, under the same key, behind its message, which stays posted.

    What was refused is sent again; what is unknown is asked for first, as ever. It may come after postings of later
    messages of its key, which did not wait for it. Raises NoSuchPosting, or NotDecidable with what there is instead.
    """
    posting, message = hold_posting(session, posting_id, now)
    refusal = _why_not(session, posting, message)
    if refusal is not None:
        raise NotDecidable(refusal, posting.state)
    asked_first = posting.state == PostingState.UNKNOWN
    state = PostingState.UNKNOWN if asked_first else PostingState.PLANNED
    again = update(Posting).where(Posting.id == posting_id).values(state=state.value, reason_code=None, **ANEW)
    again = again.values(reason=f"Requeued: {reason}", updated_at=now)
    session.execute(again.execution_options(synchronize_session=False))
    lane = message.lane or lane_number(message.ordering_key, message.id, lanes_of(message.plant))
    note = f"Requeued: {posting.target} posting {posting_id}. {reason}"
    move_messages(session, [Move(message.id, State.POSTED, Step.POST, now, lane=lane, note=note)], now, actor=actor)
    detail = {"reason": reason, "target": posting.target, "message": message.id}
    record(session, actor, "posting.requeued", f"posting:{posting_id}", detail, now)
    return Decided(posting_id, state, message.id, State.POSTED, message.plant)


def may_be_requeued(posting: Posting, message: Message) -> bool:
    """Whether it ended by itself behind a posted message; a reversal that is under way may still forbid it."""
    refused = posting.state == PostingState.REFUSED and posting.reason_code not in (SUPERSEDED, WITHDRAWN)
    left = posting.state == PostingState.UNKNOWN and posting.reason_code is not None
    behind = message.state == State.POSTED and posting.generation == message.generation
    return behind and not posting.required and posting.reverses_id is None and (refused or left)


def _why_not(session: Session, posting: Posting, message: Message) -> str | None:
    if open_orders(session, [message.id]):
        return f"Message {message.id} is being reversed: nothing of it is posted any more."
    if may_be_requeued(posting, message):
        return None
    told = f"Posting {posting.id} is {posting.state} and its message {message.id} is {message.state}"
    if posting.required:
        return f"{told}; it is required, so requeue the message where it is dead."
    return f"{told}; only a posted message has such a posting made again, once it was refused or nobody asks for it."
