"""A person has everything reversed that targets hold of a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.dead_letters.repair import DeadLetterError
from app.inbox.order import lane_number
from app.inbox.states import Move, State, Step, move_messages
from app.postings.ledger import messages_with_effects
from app.postings.reversals import Order, open_orders, reopen_reversals, save_orders, settle_by_hand
from app.store.messages_tables import Message


def reverse(
    session: Session,
    message_id: int,
    reason: str,
    actor: str,
    now: datetime,
    lanes_of: Callable[[str], int],
    by_hand: bool = False,
) -> None:
    """Make the message due for its reversal.

    A posted message stays posted until all is undone, so that later messages of its key go on, and is ``compensated``
    then. A dead one of which a target holds a part is dead again afterwards, and can then be corrected, requeued or
    discarded. Where a reversal was refused before, it goes on; ``by_hand``: what was refused a person has reversed in
    the target since. Raises DeadLetterError where none of this is possible.
    """
    message = session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if message is None:
        raise DeadLetterError(f"There is no message {message_id}.")
    refusal = why_not_reversed(session, message)
    if refusal is not None:
        raise DeadLetterError(refusal)
    if not open_orders(session, [message_id]):
        save_orders(session, [_order(message, reason, actor, now)])
    if by_hand and not settle_by_hand(session, message_id, actor, reason, now):
        raise DeadLetterError(f"No target refused a reversal of message {message_id}; order it first.")
    reopen_reversals(session, [message_id], now)
    lane = message.lane or lane_number(message.ordering_key, message.id, lanes_of(message.plant))
    to = State.POSTED if message.state == State.POSTED else State.ENRICHED
    note = f"Reversed by hand: {reason}" if by_hand else f"Reversal ordered: {reason}"
    move_messages(session, [Move(message_id, to, Step.POST, now, lane=lane, note=note)], now, actor=actor)
    action = "message.reversed_by_hand" if by_hand else "message.reversal_ordered"
    record(session, actor, action, f"message:{message_id}", {"reason": reason}, now)


def why_not_reversed(session: Session, message: Message) -> str | None:
    """None where a person may order it."""
    if message.archive_id is not None:
        told = f"Message {message.id} was exported and what was sent of it deleted here"
        return f"{told}: reverse it in the target, and adjust the stock by a message of its own."
    order = open_orders(session, [message.id]).get(message.id)
    if message.state == State.POSTED:
        return None if order is None else f"Message {message.id} is being reversed already."
    if message.state == State.COMPENSATED:
        return f"Message {message.id} was reversed already."
    if message.state != State.DEAD:
        return f"Message {message.id} is {message.state}; only what is posted or dead can be reversed."
    if order is None and not messages_with_effects(session, [message.id]):
        return f"No target holds anything of message {message.id}: correct it, requeue it or discard it."
    return None


def _order(message: Message, reason: str, actor: str, now: datetime) -> Order:
    if message.state == State.POSTED:
        return Order(message.id, message.generation, now, actor, reason, "compensated")
    dead = (message.reason_code, message.reason, message.reason_field)
    return Order(message.id, message.generation, now, actor, reason, "dead", *dead)
