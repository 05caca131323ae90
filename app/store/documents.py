"""Payloads and documents of messages, read and written many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.messages_tables import Correction, MessageDocument, Payload

CANONICAL = "canonical"
ENRICHED = "enriched"


@dataclass(frozen=True)
class StoredPayload:
    content_type: str
    body: bytes
    attributes: Mapping[str, Any]


def load_payloads(session: Session, message_ids: Sequence[int]) -> dict[int, StoredPayload]:
    """What each message is to be read from: its newest correction where a person made one, else what was received."""
    query = select(Payload.message_id, Payload.content_type, Payload.body, Payload.attributes).where(
        Payload.message_id.in_(message_ids)
    )
    payloads = {
        row.message_id: StoredPayload(row.content_type, row.body, row.attributes or {})
        for row in session.execute(query)
    }
    newest = (
        select(func.max(Correction.id)).where(Correction.message_id.in_(message_ids)).group_by(Correction.message_id)
    )
    for row in session.execute(
        select(Correction.message_id, Correction.body).where(Correction.id.in_(newest.scalar_subquery()))
    ):
        original = payloads[row.message_id]
        payloads[row.message_id] = StoredPayload(original.content_type, row.body, original.attributes)
    return payloads


def load_documents(session: Session, message_ids: Sequence[int], step: str) -> dict[int, Any]:
    query = select(MessageDocument.message_id, MessageDocument.body).where(
        MessageDocument.message_id.in_(message_ids), MessageDocument.step == step
    )
    return {row.message_id: row.body for row in session.execute(query)}


def save_documents(session: Session, documents: Mapping[int, Any], step: str, now: datetime) -> None:
    """Write each message's document of this step; a message that passes the step again replaces it."""
    if not documents:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(MessageDocument)
    statement = statement.on_conflict_do_update(
        index_elements=["message_id", "step"],
        set_={"body": statement.excluded.body, "at": statement.excluded.at},
    )
    rows = [{"message_id": key, "step": step, "at": now, "body": body} for key, body in documents.items()]
    session.connection().execute(statement, rows)
