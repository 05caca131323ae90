"""What a person can do with a dead letter. Each act is written to the audit trail in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.dead_letters.selection import DeadFilter, lock_dead, matching_ids
from app.inbox.order import wake_next
from app.inbox.sequences import SEQUENCE_MISSING, Row, number_of, pass_over, reach
from app.inbox.states import Move, Requeued, State, Step, move_messages
from app.postings.ledger import messages_with_effects, reopen_refused
from app.postings.reversals import open_orders, reopen_reversals
from app.store.messages_tables import Correction, Message

# One requeue by filter moves at most this many; the caller repeats until it returns fewer.
REQUEUE_CHUNK = 1_000


class DeadLetterError(Exception):
    """The act is not possible on this message; the text says why and what is."""


def requeue(
    session: Session,
    ids: Sequence[int],
    actor: str,
    now: datetime,
    out_of_order: str | None = None,
    note: str = "requeued",
) -> set[int]:
    """Make these dead letters due again; returns the ids that were dead and now are not.

    A message of which no target holds anything starts anew, through today's mapping. One that a target holds, or may
    hold, goes on where it stopped, so that it keeps its posting keys and is asked for before it is sent. One whose
    reversal was stopped goes on with the reversal. One that missed numbers before its own goes on without them.
    ``note`` says in the timeline why. ``out_of_order``: why they may take effect after later messages of their keys,
    where these went before.
    """
    lanes = lock_dead(session, ids)
    wanted = sorted(lanes)
    if not wanted:
        return set()
    reversing = open_orders(session, wanted).keys()
    started = messages_with_effects(session, wanted) | reversing
    reopen_refused(session, [key for key in wanted if key not in reversing], now)
    reopen_reversals(session, reversing, now)
    _go_past_gaps(session, wanted, now)
    _mark_requeued(session, wanted, Requeued.IN_ORDER if out_of_order is None else Requeued.OUT_OF_ORDER)
    note = note if out_of_order is None else f"{note} out of order: {out_of_order}"
    moves = [
        Move(key, State.ENRICHED, Step.POST, now, lane=lanes[key], note=note)
        if key in started
        else Move(key, State.RECEIVED, Step.TRANSFORM, now, note=note)
        for key in wanted
    ]
    moved = move_messages(session, moves, now, actor=actor)
    wake_next(session, moved, now)
    for message_id in sorted(moved):
        details = None if out_of_order is None else {"out_of_order": out_of_order}
        record(session, actor, "dead_letter.requeued", f"message:{message_id}", details, now)
    return moved


def _mark_requeued(session: Session, ids: Sequence[int], how: Requeued) -> None:
    """Of which the place was not known, or was told to be overtaken: whether later ones may have gone before. A message
    with a known key held it while it was dead."""
    unplaced = or_(Message.key_rank == "", Message.ordering_key.is_(None), Message.requeued.is_not(None))
    marked = update(Message).where(Message.id.in_(ids), unplaced).values(requeued=how.value)
    session.execute(marked.execution_options(synchronize_session=False))


def _go_past_gaps(session: Session, ids: Sequence[int], now: datetime) -> None:
    """A person has seen which numbers did not come, and has the message go on."""
    missed = session.scalars(select(Message.id).where(Message.id.in_(ids), Message.reason_code == SEQUENCE_MISSING))
    reach(session, {row: max(numbers) - 1 for row, numbers in _numbers(session, set(missed)).items()}, now)


def _numbers(session: Session, ids: Collection[int]) -> dict[Row, set[int]]:
    """The numbers of these messages, where they have a key and a sequence."""
    columns = (Message.plant, Message.source, Message.ordering_key, Message.sequence)
    query = select(*columns).where(Message.id.in_(ids), Message.ordering_key.is_not(None))
    found: dict[Row, set[int]] = {}
    for row in session.execute(query) if ids else ():
        number = number_of(row.sequence)
        if number is not None:
            found.setdefault(Row(row.plant, row.source, row.ordering_key), set()).add(number)
    return found


def requeue_matching(
    session: Session,
    chosen: DeadFilter,
    actor: str,
    now: datetime,
    after_id: int = 0,
    out_of_order: str | None = None,
) -> set[int]:
    """Requeue the next REQUEUE_CHUNK dead letters that match; call again, after the highest id, until it is empty."""
    return requeue(session, matching_ids(session, chosen, REQUEUE_CHUNK, after_id), actor, now, out_of_order)


def discard(session: Session, ids: Sequence[int], actor: str, reason: str, now: datetime) -> set[int]:
    """End these dead letters by a person's decision; later messages of their keys go on.

    Raises DeadLetterError when a target holds, or may hold, part of one of them: that has to be reversed first.
    """
    wanted = sorted(lock_dead(session, ids))
    held = messages_with_effects(session, wanted) | open_orders(session, wanted).keys()
    if held:
        listed = ", ".join(str(key) for key in sorted(held)[:10])
        raise DeadLetterError(
            f"A target already holds part of message {listed}: requeue it, or have that reversed, then discard."
        )
    moves = [Move(key, State.DISCARDED, reason_code="discarded", reason=reason) for key in wanted]
    moved = move_messages(session, moves, now, actor=actor)
    pass_over(session, _numbers(session, moved), now)
    wake_next(session, moved, now)
    for message_id in sorted(moved):
        record(session, actor, "dead_letter.discarded", f"message:{message_id}", {"reason": reason}, now)
    return moved


def correct(session: Session, message_id: int, body: bytes, actor: str, now: datetime) -> None:
    """Give a dead letter another payload and make it due again; what was received stays as it came.

    Raises DeadLetterError when it is not dead, or when a target holds, or may hold, part of it.
    """
    if message_id not in lock_dead(session, [message_id]):
        raise DeadLetterError(f"Message {message_id} is not a dead letter; only those can be corrected.")
    refuse_if_partly_posted(session, message_id)
    session.execute(insert(Correction).values(message_id=message_id, at=now, actor=actor, body=body))
    session.execute(update(Message).where(Message.id == message_id).values(requeued=Requeued.IN_ORDER.value))
    move_messages(session, [Move(message_id, State.RECEIVED, Step.TRANSFORM, now, note="corrected")], now, actor=actor)
    wake_next(session, [message_id], now)
    digest = hashlib.sha256(body).hexdigest()
    record(session, actor, "dead_letter.corrected", f"message:{message_id}", {"sha256": digest}, now)


def refuse_if_partly_posted(session: Session, message_id: int) -> None:
    """Raises DeadLetterError for a message that no correction can mend, because a target has part of it."""
    if messages_with_effects(session, [message_id]) or open_orders(session, [message_id]):
        raise DeadLetterError(
            f"A target already holds part of message {message_id}, made from the old payload: have that reversed first."
        )
