"""The messages that a file would become if its source sent or dropped it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from typing import BinaryIO

from app.inbox.claim import Claimed
from app.intake.rows_in import READERS, content_type_of, message_id_of, type_of
from app.intake.rows_in import body_of as body_of_piece
from app.mapping_changes.trying import Fault
from app.store.documents import StoredPayload
from app.web import file_bodies
from app.web.bodies import BATCH, STRUCTURED, kind_of, parsed
from app.web.cloud_events import read_structured, split_batch
from app.web.problems import Problem
from app.web.received import Received
from config.topology import DropFile, Source
from mappings.formats.documents import Document
from mappings.formats.lines import BadRow, FileFault, Row
from mappings.registry import INBOUND


class CannotTell(Exception):
    """The call does not say what the file is; the text says what to add."""


@dataclass(frozen=True)
class Submission:
    """One message as the inbox would hold it. ``place``: where it stands in the file; ``number``: the same as a number,
    a row's line as in ``NAME.errors.csv``."""

    place: str
    number: int
    message: Claimed
    payload: StoredPayload


@dataclass(frozen=True)
class Unreadable:
    """What stands at this place and would never become a message."""

    place: str
    number: int
    fault: Fault


@dataclass(frozen=True)
class Named:
    """What the caller says of the file; ``id`` stands for the sender's id of the message."""

    plant: str | None = None
    type: str | None = None
    id: str | None = None


def read_submissions(
    source: Source, name: str, stream: BinaryIO, named: Named, now: datetime, largest_bytes: int
) -> Iterator[Submission | Unreadable]:
    """Each message of the file, in its order. Raises CannotTell before anything is made of it.

    Rows are read one at a time; a body is read whole, up to ``largest_bytes``, as a server would take it.
    """
    plant = _plant(source, named.plant)
    if source.intake == "drop":
        return _dropped(source, _kind_of_file(source, name, named.type), plant, stream, now)
    body = stream.read(largest_bytes + 1)
    if len(body) > largest_bytes:
        raise CannotTell(f"The file has more than {largest_bytes:,} bytes; see LINESIDE_MAX_BODY_BYTES.")
    return _sent(source, name, body, Named(plant, named.type, named.id), now)


def _plant(source: Source, plant: str | None) -> str:
    if plant is not None and plant not in source.plants:
        raise CannotTell(f"Source {source.code} sends for {', '.join(source.plants)}, not for {plant}.")
    if plant is None and len(source.plants) != 1:
        raise CannotTell(f"Give --plant: source {source.code} sends for {', '.join(source.plants)}.")
    return plant or source.plants[0]


def _kind_of_file(source: Source, name: str, kind: str | None) -> DropFile:
    matching = [each for each in source.files if kind is None and fnmatch(name, each.pattern)]
    matching = matching or [each for each in source.files if kind in each.known_types]
    if not matching:
        known = ", ".join(f"{each.pattern} ({', '.join(each.known_types)})" for each in source.files) or "none"
        raise CannotTell(f"Source {source.code} knows no such file; it has: {known}. Give --type, or rename {name}.")
    return matching[0]


def _dropped(
    source: Source, kind: DropFile, plant: str, stream: BinaryIO, now: datetime
) -> Iterator[Submission | Unreadable]:
    try:
        for piece in READERS[kind.format](stream, kind.options, 0):
            yield _of_piece(source, kind, plant, piece, now)
    except FileFault as fault:
        yield Unreadable("the file", 0, Fault(fault.code, fault.reason, fault.field))


def _of_piece(
    source: Source, kind: DropFile, plant: str, piece: Row | Document | BadRow, now: datetime
) -> Submission | Unreadable:
    place = f"document {piece.number}" if isinstance(piece, Document) else f"line {piece.number}"
    if isinstance(piece, BadRow):
        return _unreadable(place, piece)
    type_ = type_of(kind, piece)
    if isinstance(type_, BadRow):
        return _unreadable(place, type_)
    message_id = message_id_of(kind, type_, "FILE", piece)
    if isinstance(message_id, BadRow):
        return _unreadable(place, message_id)
    message = _message(source, plant, message_id, type_, now)
    return Submission(place, piece.number, message, StoredPayload(content_type_of(piece), body_of_piece(piece), {}))


def _unreadable(place: str, why: BadRow) -> Unreadable:
    return Unreadable(place, why.number, Fault("row_unreadable", why.reason, why.field))


def _sent(source: Source, name: str, body: bytes, named: Named, now: datetime) -> Iterator[Submission | Unreadable]:
    try:
        content_type = file_bodies.content_type_of(name, body)
    except file_bodies.NameSaysNothing as error:
        raise CannotTell(str(error)) from None
    if content_type == BATCH:
        return _batch(source, body, named, now)
    if content_type == STRUCTURED:
        return iter([_cloud_event(source, ("the event", 1), body, named, now)])
    kind = named.type or _only_type(source)
    return iter([_vendor(source, kind, content_type, body, named, now)])


def _only_type(source: Source) -> str:
    known = sorted(kind for family, kind in INBOUND if family == source.mapping)
    if len(known) != 1:
        raise CannotTell(f"Give --type; mapping {source.mapping} has: {', '.join(known) or 'canonical types'}.")
    return known[0]


def _batch(source: Source, body: bytes, named: Named, now: datetime) -> Iterator[Submission | Unreadable]:
    try:
        events = split_batch(body)
    except Problem as problem:
        yield Unreadable("the batch", 0, _told(problem))
        return
    for number, event in enumerate(events, start=1):
        yield _cloud_event(source, (f"event {number}", number), event, named, now)


def _cloud_event(
    source: Source, place: tuple[str, int], body: bytes, named: Named, now: datetime
) -> Submission | Unreadable:
    try:
        received = read_structured(body)
    except Problem as problem:
        return Unreadable(*place, _told(problem))
    fault = _not_its_own(source, received)
    if fault is not None:
        return Unreadable(*place, fault)
    plant = received.plant or named.plant or source.plants[0]
    message = _message(source, plant, received.source_message_id, received.type, now, received.sequence)
    return Submission(*place, message, StoredPayload(received.content_type, received.body, received.attributes or {}))


def _not_its_own(source: Source, received: Received) -> Fault | None:
    if received.source != source.code:
        told = f"The event names source {received.source!r}; its key would be {source.code}'s, which is refused."
        return Fault("forbidden", told, "/source")
    if received.plant is not None and received.plant not in source.plants:
        told = f"Source {source.code} sends for {', '.join(source.plants)}, not for {received.plant}."
        return Fault("refused", f"{told} Mend the event, or add the plant to the source in the topology.", "/plant")
    return None


def _vendor(
    source: Source, kind: str, content_type: str, body: bytes, named: Named, now: datetime
) -> Submission | Unreadable:
    try:
        parsed(body, kind_of(content_type))
    except Problem as problem:
        return Unreadable("the body", 1, _told(problem))
    # As `lineside send` names it, so that what is shown is what would be sent.
    message_id = named.id or f"file-{hashlib.sha256(body).hexdigest()[:32]}"
    message = _message(source, named.plant or source.plants[0], message_id, kind, now)
    return Submission("the body", 1, message, StoredPayload(content_type, body, {}))


def _told(problem: Problem) -> Fault:
    first = problem.errors[0] if problem.errors else None
    place = (first.pointer or first.place) if first else None
    return Fault(str(problem.more.get("code") or problem.code), problem.detail, place)


def _message(
    source: Source, plant: str, message_id: str, kind: str, now: datetime, sequence: str | None = None
) -> Claimed:
    return Claimed(
        id=0,
        plant=plant,
        source=source.code,
        source_message_id=message_id,
        type=kind,
        received_at=now,
        state_at=now,
        attempts=0,
        workers_lost=0,
        retries=0,
        retrying_since=None,
        waiting_since=None,
        ordering_key=None,
        sequence=sequence,
        key_rank="",
        state="received",
        generation=0,
        lane=0,
    )
