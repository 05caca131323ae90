"""Read one file's rows into the inbox, some hundreds a commit, and go on at the right row after a crash."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.inbox.accept import MAX_ID_LENGTH, Incoming, accept_messages
from app.inbox.sightings import sighting_of
from app.intake.context import Intake
from app.intake.hold import hold_folder
from app.store.files import TakenFile, record_rows
from app.store.trouble import cannot_save_anything, is_database_trouble
from app.telemetry import metrics
from config.exception_policy import NO_POLICY, ExceptionPolicy
from config.topology import DropFile, Source
from mappings.context import MappingError
from mappings.formats import delimited, documents, edifact, epcis_files, fixed_width, idoc_files, json_body, x12
from mappings.formats.documents import Document
from mappings.formats.lines import BadRow, Row, raw_text
from mappings.formats.trailer import TrailerFault, takes_all_the_same

log = structlog.get_logger()

ROWS_PER_COMMIT = 500
ROW_CONTENT_TYPE = "application/vnd.lineside.row+json"
ERRORS_ENDING = ".errors.csv"
ERRORS_HEADER = ("row", "field", "reason", "content")

Piece = Row | Document | BadRow
OpenPieces = Callable[[BinaryIO, Mapping[str, Any], int], Iterator[Piece]]
READERS: Mapping[str, OpenPieces] = {
    "csv": delimited.open_rows,
    "fixed_width": fixed_width.open_rows,
    "document": documents.open_whole,
    "idoc": idoc_files.open_idocs,
    "edifact": edifact.open_messages,
    "x12": x12.open_messages,
    "epcis": epcis_files.open_events,
}


@dataclass(frozen=True)
class FileUnderWork:
    """One file: where it stands, what the topology says of it, and how far it was read before."""

    path: Path
    source: Source
    plant: str
    kind: DropFile
    taken: TakenFile
    token: str
    policy: ExceptionPolicy = NO_POLICY

    @property
    def errors_path(self) -> Path:
        return self.path.with_name(self.path.name + ERRORS_ENDING)


@dataclass(frozen=True)
class Ending:
    """All rows were read. ``fault``: the trailer does not hold, and the good rows were taken all the same. ``keep``:
    what is kept of them with the file's end."""

    fault: TrailerFault | None
    errors_bytes: int
    keep: Callable[[Session], object] = lambda _session: None


def check_whole(file: FileUnderWork) -> None:
    """Where a trailer says how much there is to be, read to the end before anything is taken: half a file looks whole
    until then. Raises FileFault. Not where the good rows are to be taken whatever the trailer says."""
    if "trailer" not in file.kind.options or takes_all_the_same(file.kind.options):
        return
    with file.path.open("rb") as stream:
        for _ in READERS[file.kind.format](stream, file.kind.options, 0):
            pass


def read_rows(intake: Intake, file: FileUnderWork) -> Ending:
    """Store every row that can be a message, and list the others in the errors file. Raises FileFault."""
    errors_bytes = file.taken.errors_bytes
    _cut_errors(file.errors_path, errors_bytes)
    with file.path.open("rb") as stream:
        faults: list[TrailerFault] = []
        rows = _up_to_the_trailer(READERS[file.kind.format](stream, file.kind.options, file.taken.rows_done), faults)
        while chunk := list(islice(rows, ROWS_PER_COMMIT)):
            errors_bytes = _store(intake, file, chunk, errors_bytes)
    if faults and not takes_all_the_same(file.kind.options):
        raise faults[0]
    return Ending(faults[0] if faults else None, errors_bytes)


def _up_to_the_trailer(rows: Iterator[Piece], faults: list[TrailerFault]) -> Iterator[Piece]:
    """A trailer that does not hold shows at the end, and takes no row with it that was read before."""
    try:
        yield from rows
    except TrailerFault as fault:
        faults.append(fault)


def _store(intake: Intake, file: FileUnderWork, chunk: list[Piece], errors_bytes: int) -> int:
    """Where a chunk cannot be saved its halves are, down to the row at fault, which is listed; trouble of the database
    itself is raised, and the file waits."""
    try:
        return _store_together(intake, file, chunk, errors_bytes)
    except SQLAlchemyError as error:
        if is_database_trouble(error):
            raise
        if len(chunk) == 1:
            if isinstance(chunk[0], BadRow) or cannot_save_anything(intake.store, error, intake.clock()):
                raise
            log.exception("row_cannot_be_stored", source=file.source.code, file=file.path.name, row=chunk[0].number)
            reason = "the database does not take this row (internal_error); the watcher's log says why."
            return _store_together(intake, file, [BadRow(chunk[0].number, None, reason, _raw(chunk[0]))], errors_bytes)
    middle = len(chunk) // 2
    errors_bytes = _store(intake, file, chunk[:middle], errors_bytes)
    return _store(intake, file, chunk[middle:], errors_bytes)


def _store_together(intake: Intake, file: FileUnderWork, chunk: list[Piece], errors_bytes: int) -> int:
    messages: list[Incoming] = []
    bad: list[BadRow] = []
    for row in chunk:
        made = row if isinstance(row, BadRow) else _message(file, row)
        if isinstance(made, BadRow):
            bad.append(made)
        else:
            messages.append(made)
    with intake.store.writing() as session:
        hold_folder(session, file.source, file.token, intake.clock(), intake.lease_seconds)
        answers = accept_messages(session, messages, intake.clock())
        statuses = [answer.status for answer in answers]
        for message, answer in zip(messages, answers, strict=True):
            if answer.status == "conflict":
                bad.append(_conflict(message, answer.id))
        # The errors file is written before the commit and cut back on resume: it never lacks a row that was counted.
        errors_bytes = write_errors(file.errors_path, bad, errors_bytes)
        record_rows(
            session, file.taken.id, statuses.count("accepted"), statuses.count("repeat"), len(bad), errors_bytes
        )
    refused = len(bad) - statuses.count("conflict")
    for status, count in (Counter[str](statuses) + Counter(refused=refused)).items():
        metrics.observe_acceptances(file.source.code, status, count)
    if accepted := statuses.count("accepted"):
        intake.nudge(file.plant, accepted)
    return errors_bytes


def _raw(piece: Row | Document) -> str:
    return piece.raw if isinstance(piece, Row) else raw_text(piece.body)


def _message(file: FileUnderWork, piece: Row | Document) -> Incoming | BadRow:
    type_ = type_of(file.kind, piece)
    if isinstance(type_, BadRow):
        return type_
    message_id = message_id_of(file.kind, type_, str(file.taken.id), piece)
    if isinstance(message_id, BadRow):
        return message_id
    return Incoming(
        plant=file.plant,
        source=file.source.code,
        source_message_id=message_id,
        type=type_,
        content_type=content_type_of(piece),
        body=body_of(piece),
        digest=_digest(piece),
        file_id=file.taken.id,
        row_number=piece.number,
        sighting=sighting_of(file.source, file.plant, None, _countable(file.source, piece)),
    )


def _countable(source: Source, piece: Row | Document) -> Any:
    """What the source's number may be read from: a row's columns, a document's XML or JSON; None where nobody asks."""
    if source.completeness.sequence is None:
        return None
    if isinstance(piece, Row):
        return piece.values
    if not piece.content_type.endswith("json"):
        return piece.body
    try:
        return json_body.read(piece.body)
    except MappingError:
        return None


def type_of(kind: DropFile, piece: Row | Document) -> str | BadRow:
    """Where files of this kind hold messages of several types, the one that ends with what the piece says that it is;
    or why it has none."""
    if not kind.types or not isinstance(piece, Document):
        return kind.type
    found = next((each for each in kind.types if each.rpartition(".")[2] == piece.kind), None)
    if found is not None:
        return found
    told = f"the message is of kind {(piece.kind or '')[:30]!r}, and files {kind.pattern} are read for"
    mend = "Add its type to `types` in the topology file and drop the file again, or have it sent elsewhere."
    return BadRow(piece.number, None, f"{told} {', '.join(kind.types)}. {mend}", _raw(piece))


def message_id_of(kind: DropFile, type_: str, file_id: str, piece: Row | Document) -> str | BadRow:
    """The id of the message of this type that this piece becomes, or why it cannot be one. ``file_id`` tells the file
    from others where the piece has no id of its own."""
    own_id = _own_id(kind, file_id, piece)
    if isinstance(own_id, BadRow):
        return own_id
    message_id = f"{type_}:{own_id}"
    if len(message_id) > MAX_ID_LENGTH:
        reason = f"the row's id is longer than {MAX_ID_LENGTH} characters; shorten it."
        return BadRow(piece.number, None, reason, _raw(piece))
    return message_id


def _own_id(kind: DropFile, file_id: str, piece: Row | Document) -> str | BadRow:
    """What tells this row or document from every other of its source."""
    if isinstance(piece, Document):
        return piece.own_id or f"{file_id}:{piece.number}"
    id_columns = kind.options.get("id") or ()
    values = [piece.values.get(name, "").strip() for name in id_columns]
    for name, value in zip(id_columns, values, strict=True):
        if not value:
            reason = "this column tells one row from another and is empty; fill it."
            return BadRow(piece.number, name, reason, piece.raw)
        if not value.isprintable():
            reason = "this column tells one row from another; take out control characters."
            return BadRow(piece.number, name, reason, piece.raw)
    return "|".join(values) if values else f"{file_id}:{piece.number}"


def content_type_of(piece: Row | Document) -> str:
    return ROW_CONTENT_TYPE if isinstance(piece, Row) else piece.content_type


def body_of(piece: Row | Document) -> bytes:
    """The message's payload: a row as a JSON object of its columns' texts, a document as it stood in the file."""
    if isinstance(piece, Document):
        return piece.body
    return json.dumps(piece.values, ensure_ascii=False, separators=(",", ":")).encode()


def _digest(piece: Row | Document) -> str:
    """The same for the same values, whatever the order of the file's columns; a document's is of its bytes, or of those
    that it has in common with a repeat."""
    if isinstance(piece, Document):
        return hashlib.sha256(piece.body if piece.said is None else piece.said).hexdigest()
    return hashlib.sha256(json.dumps(piece.values, sort_keys=True).encode()).hexdigest()


def _conflict(message: Incoming, first_id: int) -> BadRow:
    reason = f"message {first_id} came before under the same id with other content; give the row an id of its own."
    return BadRow(message.row_number or 0, None, reason, raw_text(message.body))


def _cut_errors(path: Path, size: int) -> None:
    """Drop what was written for rows that were not committed."""
    if path.exists():
        with path.open("r+b") as stream:
            stream.truncate(size)


def write_errors(path: Path, bad: list[BadRow], size: int) -> int:
    """List these behind the first ``size`` bytes; a fault of the file as a whole has no row's number."""
    if not bad:
        return size
    text = io.StringIO()
    writer = csv.writer(text)
    if size == 0:
        writer.writerow(ERRORS_HEADER)
    for row in sorted(bad, key=lambda row: row.number):
        writer.writerow((row.number or "", row.field or "", row.reason, _inert(row.raw)))
    data = text.getvalue().encode()
    with path.open("ab") as stream:
        stream.truncate(size)
        stream.write(data)
    return size + len(data)


def _inert(text: str) -> str:
    """A spreadsheet must show the row, not run it (OWASP, CSV Injection)."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
