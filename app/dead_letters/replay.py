"""A person has a posted message replayed: its effect is reversed, and what it said is mapped anew and posted again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.dead_letters.repair import DeadLetterError
from app.dead_letters.reversal import reverse, why_not_reversed
from app.inbox.accept import Incoming, accept_messages
from app.inbox.replays import Replay, replay_id, replay_in
from app.inbox.states import State
from app.store.documents import load_payloads
from app.store.messages_tables import Message

_WHY_NOT = {
    State.DEAD: "is a dead letter; requeue it, which takes it through today's mapping",
    State.COMPENSATED: "was reversed; what it said has to be sent anew",
    State.DISCARDED: "was ended by a person",
}


def replay(
    session: Session, message_id: int, reason: str, actor: str, now: datetime, lanes_of: Callable[[str], int]
) -> int:
    """Order the reversal of this posted message, and accept what it said once more as a message that waits for that;
    returns its id. Both happen, or neither.

    The new message has an id, and so posting keys, of its own; it is mapped only when the first one is ``compensated``,
    so no target ever holds both. Where the reversal is refused, it waits on, and a person ends that as any refused
    reversal. Raises DeadLetterError where the message is not posted, or is replayed already.
    """
    message = session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if message is None:
        raise DeadLetterError(f"There is no message {message_id}.")
    if (refusal := why_not_replayed(session, message)) is not None:
        raise DeadLetterError(refusal)
    answer = accept_messages(session, [_again(session, message, reason)], now)[0]
    if answer.status != "accepted":
        raise DeadLetterError(f"Message {message_id} was replayed before, as message {answer.id}.")
    reverse(session, message_id, f"Replayed as message {answer.id}: {reason}", actor, now, lanes_of)
    told = {"reason": reason, "replay": answer.id}
    record(session, actor, "message.replayed", f"message:{message_id}", told, now)
    return answer.id


def why_not_replayed(session: Session, message: Message) -> str | None:
    """None where a person may order it."""
    state = State(message.state)
    if state is State.POSTED:
        return why_not_reversed(session, message)
    told = _WHY_NOT.get(state, "is on its way, and goes through today's mapping where it was not mapped yet")
    return f"Message {message.id} is {state.value}: it {told}. Only what is posted can be replayed."


def _again(session: Session, message: Message, reason: str) -> Incoming:
    """As it was last read, a correction included. Its rank within its key is its sender's, and its digest that of the
    first."""
    payload = load_payloads(session, [message.id])[message.id]
    before = replay_in(payload)
    first = Replay(
        message.id,
        before.source_message_id if before else message.source_message_id,
        before.received_at if before else message.received_at,
    )
    return Incoming(
        plant=message.plant,
        source=message.source,
        source_message_id=replay_id(message.id),
        type=message.type,
        content_type=payload.content_type,
        body=payload.body,
        digest=message.digest,
        attributes=first.attributes(payload),
        sequence=message.sequence,
        note=f"Replay of message {message.id}: {reason}",
    )
