"""What a message's timeline says of things that moved it nowhere."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.store.messages_tables import TimelineEntry


def tell_without_move(session: Session, message_id: int, state: State, note: str, actor: str, now: datetime) -> None:
    """What a person did about a message that stays in its state, as a row of its timeline."""
    entry = {"message_id": message_id, "at": now, "actor": actor, "from_state": state.value, "to_state": state.value}
    session.execute(insert(TimelineEntry).values(entry | {"note": note}))
