"""The feed: canonical events in the one order in which they are told to others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, UtcInstant, plain_text


class FeedEntry(Base):
    """One event of a message that took effect, or (``undone``) the word that it counts no more. Rows are only added, by
    one worker at a time, so that ``position`` grows in the order in which rows become visible; a number that is left
    out was never told. The event itself is the message's document."""

    __tablename__ = "feed"

    position: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    undone: Mapped[bool]
    plant: Mapped[str] = mapped_column(plain_text(80))
    type: Mapped[str] = mapped_column(plain_text(80))
    told_at: Mapped[datetime] = mapped_column(UtcInstant)

    __table_args__ = (
        UniqueConstraint("message_id", "event_index", "undone", name="uq_feed_event"),
        # Without it SQLite gives the number of a newest row that was deleted away a second time.
        {"sqlite_autoincrement": True},
    )
