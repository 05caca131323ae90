"""What each dead letter holds up, kept beside it so that a list of many can be sorted by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, UtcInstant, plain_text


class Impact(Base):
    """One row a dead letter, written and taken away by the move that makes it one, or none any more; so a message has a
    row exactly while it is dead. ``points`` is what it is sorted by, ``parts`` what they are made of.

    ``subject``: what it is about, which does not change while it is dead; ``weighed_at``: when ``parts`` last became
    what they are, NULL while nobody has looked.
    """

    __tablename__ = "impacts"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True, autoincrement=False)
    plant: Mapped[str] = mapped_column(String(16))
    died_at: Mapped[datetime] = mapped_column(UtcInstant)
    points: Mapped[int] = mapped_column(default=0)
    subject: Mapped[Any] = mapped_column(JsonText, nullable=True)
    parts: Mapped[Any] = mapped_column(JsonText, nullable=True)
    weighed_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_impacts_points", "points", "message_id"),
        Index("ix_impacts_plant_points", "plant", "points", "message_id"),
        Index(
            "ix_impacts_unweighed",
            "message_id",
            postgresql_where=text("weighed_at IS NULL"),
            sqlite_where=text("weighed_at IS NULL"),
        ),
    )


class ImpactObject(Base):
    """One thing that a dead letter is about: an order, lot, item, delivery or purchase order."""

    __tablename__ = "impact_objects"

    kind: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    code: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_impact_objects_message", "message_id", "kind"),)
