"""A replay: a message that came before, once more as a message of its own that takes the place of the first.

What it takes the place of stands beside its payload, where no sender can write it: what senders say of a payload is
text, and this is an object. It is looked at whenever the replay is mapped, also after a requeue or a correction, so
that a replay takes effect only when nothing of the first one has any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.store.documents import StoredPayload
from app.store.messages_tables import Message

UNDONE = frozenset({State.COMPENSATED, State.DISCARDED})
"""Of a message in these states no target holds anything, and none will."""
_ATTRIBUTE = "replay"
_REPLAY_OF = "lineside:replay:"
DIGITS_MOST = 18
"""Of a message's id, as far as a database's number goes."""


@dataclass(frozen=True)
class Replay:
    """``of``: the message that it takes the place of. ``source_message_id`` and ``received_at``: what the sender called
    the very first one, and when that came, so that it is mapped as it was then."""

    of: int
    source_message_id: str
    received_at: datetime

    def attributes(self, payload: StoredPayload) -> dict[str, Any]:
        told = {"of": self.of, "id": self.source_message_id, "received_at": self.received_at.isoformat()}
        return {**payload.attributes, _ATTRIBUTE: told}


def replay_id(message_id: int) -> str:
    """The id of the replay of this message among its source's: there is one at most."""
    return f"{_REPLAY_OF}{message_id}"


def replayed(source_message_id: str) -> int | None:
    """The message that the one of this id is a replay of, if it is one."""
    told = source_message_id.removeprefix(_REPLAY_OF)
    is_one = told != source_message_id and told.isascii() and told.isdigit() and len(told) <= DIGITS_MOST
    return int(told) if is_one else None


def replay_in(payload: StoredPayload) -> Replay | None:
    """What the payload is a replay of, if it is one."""
    told = payload.attributes.get(_ATTRIBUTE)
    if not isinstance(told, Mapping):
        return None
    return Replay(told["of"], told["id"], datetime.fromisoformat(told["received_at"]))


def reversal_reference(message_id: int) -> str:
    """What a replay waits for: that this message is reversed."""
    return f"reversal:{message_id}"


def still_standing(session: Session, payloads: Mapping[int, StoredPayload]) -> dict[int, int]:
    """Of these messages the replays that must wait: each with the message that is not undone yet."""
    firsts = {key: replay.of for key, payload in payloads.items() if (replay := replay_in(payload)) is not None}
    if not firsts:
        return {}
    undone = select(Message.id).where(
        Message.id.in_(sorted(set(firsts.values()))), Message.state.in_([state.value for state in UNDONE])
    )
    done = set(session.execute(undone).scalars())
    return {key: first for key, first in firsts.items() if first not in done}
