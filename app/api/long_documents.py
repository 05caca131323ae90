"""EPCIS documents that are too long to be one message: each of their events is one, as in a dropped file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.inbox.accept import MAX_ID_LENGTH
from app.web.problems import FieldError, Problem
from app.web.received import Received
from mappings.formats.documents import Document
from mappings.formats.epcis import EVENT_BOUND
from mappings.formats.epcis_files import events_of, open_events
from mappings.formats.lines import BadRow, FileFault

_MAPPING = "epcis"
_TYPES = ("epcis.EPCISDocument", "epcis.Event")
"""Either takes whole documents."""
Part = Received | Problem


def parts_of(received: Received, mapping: str) -> list[Part] | None:
    """Its events, each as a message of its own or with what is wrong with it, in the document's order but for
    packing events that nothing names, which come last; None where it is one message. ``mapping``: its source's. An
    event is called by its ``eventID``, so that it is a repeat in another document; one without by the document's id,
    ``#`` and its number, so that it is one where the document is sent again. Raises Problem where what stands around
    the events cannot be read."""
    if mapping != _MAPPING or received.type not in _TYPES or len(events_of(received.data)) <= EVENT_BOUND:
        return None
    try:
        return list(_parts(received))
    except FileFault as fault:
        told = f"The document cannot be taken event by event: {fault.reason}"
        raise Problem(422, "refused", told, more={"code": fault.code}) from None


def _parts(received: Received) -> Iterator[Part]:
    for piece in open_events(io.BytesIO(received.raw_data), {}):
        if isinstance(piece, BadRow):
            yield _bad(piece.number, piece.reason)
        else:
            yield _part(received, piece)


def _part(received: Received, piece: Document) -> Part:
    name = piece.own_id or f"{received.source_message_id}#{piece.number}"
    if len(name) > MAX_ID_LENGTH or not name.isprintable():
        told = f"its id must have 1 to {MAX_ID_LENGTH} printable characters"
        return _bad(piece.number, f"{told}.")
    said = b"[" + (piece.body if piece.said is None else piece.said) + b"]"
    data: Any = json.loads(said)
    return replace(
        received,
        source_message_id=name,
        content_type=piece.content_type,
        body=piece.body,
        data=data,
        raw_data=said,
        data_pointer="",
    )


def _bad(number: int, reason: str) -> Problem:
    return Problem(422, "refused", f"Event {number}: {reason}", [FieldError(reason, place=f"event {number}")])
