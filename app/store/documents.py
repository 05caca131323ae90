"""Payloads and documents of messages, read and written many at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, func, select, type_coerce
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
    """What each of these messages became at this step. One whose row is no JSON any more is absent, so that it fails
    none but its own message."""
    # As text: read by the column's type, one torn row would fail the rows of all others with it.
    text = type_coerce(MessageDocument.body, Text).label("text")
    query = select(MessageDocument.message_id, text).where(
        MessageDocument.message_id.in_(message_ids), MessageDocument.step == step
    )
    found = ((row.message_id, _read(row.text)) for row in session.execute(query))
    return {message_id: body for message_id, body in found if body is not None}


@dataclass(frozen=True)
class StoredDocument:
    """What a message became at a step; the bare text where that is no JSON any more."""

    step: str
    at: datetime
    body: Any


def documents_of(session: Session, message_id: int) -> list[StoredDocument]:
    """Everything that this message became, for people to look at."""
    text = type_coerce(MessageDocument.body, Text).label("text")
    query = select(MessageDocument.step, MessageDocument.at, text).where(MessageDocument.message_id == message_id)
    rows = session.execute(query.order_by(MessageDocument.step))
    return [StoredDocument(row.step, row.at, row.text if (body := _read(row.text)) is None else body) for row in rows]


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


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
