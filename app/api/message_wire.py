"""Messages, their timeline and their postings as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import url_for

from app.inbox.lookup import MessageStory, PostingStory
from app.store.messages_tables import Message
from app.store.retention_tables import Archive


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_wire(message: Message) -> dict[str, Any]:
    """The message as it stands in a list."""
    return {
        "id": message.id,
        "plant": message.plant,
        "source": message.source,
        "source_message_id": message.source_message_id,
        "type": message.type,
        "state": message.state,
        "step": message.step,
        "received_at": instant(message.received_at),
        "state_at": instant(message.state_at),
        "due_at": instant(message.due_at),
        "attempts": message.attempts,
        "retries": message.retries,
        "workers_lost": message.workers_lost,
        "ordering_key": message.ordering_key,
        "sequence": message.sequence,
        "waiting_for": message.waiting_for,
        "reason_code": message.reason_code,
        "reason": message.reason,
        "reason_field": message.reason_field,
        "links": {"self": url_for("message_reads.show_message", message_id=message.id)},
    }


def story_wire(story: MessageStory) -> dict[str, Any]:
    """The message with everything that is known of it."""
    message = story.message
    body = message_wire(message) | {
        "mapping_version": message.mapping_version,
        "traceparent": message.traceparent,
        "file": None if story.file is None else {"name": story.file.name, "row": message.row_number},
        "holds_up": story.holds_up,
        "archive": None if story.archive is None else archive_wire(story.archive),
        "corrects": list(story.links.corrects),
        "corrected_by": list(story.links.corrected_by),
        "payload": {
            "content_type": story.payload_type,
            "size_bytes": story.payload_bytes,
            "attributes": story.payload_attributes,
        },
        "timeline": [
            {
                "at": instant(entry.at),
                "actor": entry.actor,
                "from": entry.from_state,
                "to": entry.to_state,
                "note": entry.note,
            }
            for entry in story.timeline
        ],
        "corrections": [{"at": instant(entry.at), "actor": entry.actor} for entry in story.corrections],
        "postings": [_posting(posting) for posting in story.postings],
    }
    if story.archive is None:
        body["links"]["payload"] = url_for("message_reads.download_payload", message_id=message.id)
    for document in story.documents:
        link = url_for("message_reads.show_document", message_id=message.id, step=document.step)
        body["links"][document.step] = link
    return body


def archive_wire(archive: Archive) -> dict[str, Any]:
    return {
        "file": archive.path,
        "host": archive.host,
        "sha256": archive.sha256,
        "made_at": instant(archive.made_at),
    }


def _posting(story: PostingStory) -> dict[str, Any]:
    posting = story.posting
    return {
        "id": posting.id,
        "target": posting.target,
        "kind": posting.kind,
        "state": posting.state,
        "required": posting.required,
        "posting_key": posting.posting_key,
        "generation": posting.generation,
        "reference": posting.reference,
        "reason_code": posting.reason_code,
        "reason": posting.reason,
        "mapping_version": posting.mapping_version,
        "document": posting.document,
        "answer": posting.answer,
        "updated_at": instant(posting.updated_at),
        "attempts": [
            {
                "number": attempt.number,
                "started_at": instant(attempt.started_at),
                "ended_at": instant(attempt.ended_at),
                "outcome": attempt.outcome,
                "detail": attempt.detail,
                "worker": attempt.worker,
            }
            for attempt in story.attempts
        ],
        "reversal": None if story.reversal is None else _posting(story.reversal),
    }
