"""A vendor's own payload: the body as its system makes it, and what Lineside needs to know beside it."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.datastructures import Headers

from app.inbox.accept import MAX_ID_LENGTH
from app.web.bodies import kind_of, media_type, parsed
from app.web.problems import FieldError, Problem
from app.web.received import KEY_BOUND, SEQUENCE_BOUND, TRACEPARENT_BOUND, TYPE_BOUND, AttributeReader, Received


def read_vendor(query: Mapping[str, str], headers: Headers, body: bytes, content_type: str | None) -> Received:
    """One message with ``source``, ``type`` and ``plant`` in the query and its id as ``Idempotency-Key``."""
    kind = kind_of(media_type(content_type))
    reader = AttributeReader(query, "query ", in_body=False)
    event_type = reader.needed("type", TYPE_BOUND)
    source = reader.optional("source", KEY_BOUND)
    plant = reader.optional("plant", TYPE_BOUND)
    ordering_key = reader.optional("partitionkey", KEY_BOUND)
    sequence = reader.optional("sequence", SEQUENCE_BOUND)
    reader.finish("A vendor's own payload needs ?type=...&plant=... and a CloudEvent application/cloudevents+json")
    message_id = idempotency_key(headers)
    traceparent = headers.get("traceparent")
    return Received(
        source=source,
        plant=plant,
        type=event_type,
        source_message_id=message_id,
        content_type=(content_type or "")[:120],
        body=body,
        kind=kind,
        data=parsed(body, kind),
        raw_data=body,
        attributes=dict(query.items()),
        ordering_key=ordering_key,
        sequence=sequence,
        traceparent=traceparent if traceparent and len(traceparent) <= TRACEPARENT_BOUND else None,
    )


def idempotency_key(headers: Headers) -> str:
    """The Idempotency-Key, which may be written as a quoted string."""
    value = headers.get("Idempotency-Key", "").strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if not value or len(value) > MAX_ID_LENGTH or not value.isprintable():
        fault = FieldError(
            f"must have 1 to {MAX_ID_LENGTH} printable characters, the same for every attempt to send this message",
            place="header Idempotency-Key",
        )
        raise Problem(400, "bad_request", "The header Idempotency-Key is missing or unusable.", [fault])
    return value
