"""Which message re-states which: what a sender corrects."""

from __future__ import annotations

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId


class Restatement(Base):
    """That a message re-states another of its source. ``corrects``: the id that the source gave to that other one.
    Written under the lock of the corrected message's row, so that two corrections of one message see each other.
    ``is_open``: whether the correction may still wait for it."""

    __tablename__ = "restatements"

    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    corrects: Mapped[str] = mapped_column(String(200), primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    is_open: Mapped[bool]

    __table_args__ = (
        Index("ix_restatements_corrects", "source", "corrects", "message_id"),
        Index(
            "ix_restatements_open",
            "message_id",
            postgresql_where=text("is_open IS true"),
            sqlite_where=text("is_open IS 1"),
        ),
    )
