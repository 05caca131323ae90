"""Payloads and documents of messages, read and written many at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Text, bindparam, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.messages_tables import Correction, MessageDocument, Payload
from app.store.prepared import Prepared

CANONICAL = "canonical"
ENRICHED = "enriched"


@dataclass(frozen=True)
class StoredPayload:
    content_type: str
    body: bytes
    attributes: Mapping[str, Any]


_PAYLOAD, _CORRECTION, _DOCUMENT = table_of(Payload).c, table_of(Correction).c, table_of(MessageDocument).c
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PAYLOADS = Prepared(
    select(_PAYLOAD.message_id, _PAYLOAD.content_type, _PAYLOAD.body, _PAYLOAD.attributes).where(
        _PAYLOAD.message_id.in_(_IDS)
    )
)
_NEWEST = select(func.max(_CORRECTION.id)).where(_CORRECTION.message_id.in_(_IDS)).group_by(_CORRECTION.message_id)
_CORRECTIONS = Prepared(
    select(_CORRECTION.message_id, _CORRECTION.body).where(_CORRECTION.id.in_(_NEWEST.scalar_subquery()))
)
# As text: read by the column's type, one torn row would fail the rows of all others with it.
_DOCUMENTS = Prepared(
    select(_DOCUMENT.message_id, type_coerce(_DOCUMENT.body, Text).label("text")).where(
        _DOCUMENT.message_id.in_(_IDS), _DOCUMENT.step == bindparam("of_step")
    )
)


def load_payloads(session: Session, message_ids: Sequence[int]) -> dict[int, StoredPayload]:
    """What each message is to be read from: its newest correction where a person made one, else what was received."""
    ids = list(message_ids)
    payloads = {
        row.message_id: StoredPayload(row.content_type, row.body, row.attributes or {})
        for row in _PAYLOADS.rows(session, ids=ids)
    }
    for row in _CORRECTIONS.rows(session, ids=ids):
        original = payloads[row.message_id]
        payloads[row.message_id] = StoredPayload(original.content_type, row.body, original.attributes)
    return payloads


def load_documents(session: Session, message_ids: Sequence[int], step: str) -> dict[int, Any]:
    """What each of these messages became at this step. One whose row is no JSON any more is absent, so that it fails
    none but its own message."""
    rows = _DOCUMENTS.rows(session, ids=list(message_ids), of_step=step)
    found = ((row.message_id, _read(row.text)) for row in rows)
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
    rows = [{"message_id": key, "step": step, "at": now, "body": body} for key, body in documents.items()]
    _SAVE.run_each(session, rows)


def _saving(build: Any) -> Any:
    statement = build(table_of(MessageDocument))
    return statement.on_conflict_do_update(
        index_elements=["message_id", "step"],
        set_={"body": statement.excluded.body, "at": statement.excluded.at},
    )


_SAVE = Prepared(_saving(postgresql.insert), sqlite=_saving(sqlite.insert))
