"""Write messages with all that is known of them into a file that outlives them: compressed JSON lines, one message a
line, and beside it a manifest with its count and hash. A file counts once it lies on the disk and was read back."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.store.documents import documents_of
from app.store.messages_tables import Correction, Message, Payload, TimelineEntry
from app.store.postings_tables import Posting, PostingAttempt, ReversalOrder
from app.store.session import Store

FORMAT = "lineside-messages-1"
AT_ONCE = 25
"""Messages that are in memory at a time."""


class ArchiveFault(Exception):
    """A file is not what its manifest says; the text says how."""


@dataclass(frozen=True)
class Written:
    """``path`` below the folder; ``sha256`` and ``bytes`` of the file; ``ids`` of the messages in it."""

    path: str
    sha256: str
    bytes: int
    ids: Sequence[int]


def export(store: Store, folder: Path, ids: Sequence[int], now: datetime) -> Written:
    """Write these messages, flush the file and its folder to the disk, and read it back.

    Each file has a name of its own: one that counts is never written again. What a run leaves that was killed before
    its file counted is not referred to by anything. Raises ArchiveFault where it does not read as it was written,
    OSError where it cannot be written."""
    place = folder / f"{now:%Y}" / f"{now:%m}"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"messages-{ids[0]}-{ids[-1]}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}.jsonl.gz"
    digest = _write(path, _lines(store, ids))
    manifest = {
        "format": FORMAT,
        "file": path.name,
        "sha256": digest,
        "bytes": path.stat().st_size,
        "messages": len(ids),
        "first_id": ids[0],
        "last_id": ids[-1],
        "made_at": now.isoformat(),
    }
    _put(manifest_of(path), json.dumps(manifest, indent=1).encode() + b"\n")
    _flush_folder(place)
    found = [record["message"]["id"] for record in read_archive(path)]
    if found != list(ids):
        raise ArchiveFault(f"{path} holds other messages than were written into it.")
    return Written(str(path.relative_to(folder)), digest, path.stat().st_size, list(ids))


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".jsonl.gz") + ".manifest.json")


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """Each message of the file, once the whole of it is what its manifest says. Raises ArchiveFault."""
    try:
        manifest = json.loads(manifest_of(path).read_bytes())
        digest = digest_of(path)
    except (OSError, ValueError) as error:
        raise ArchiveFault(f"{path} cannot be read with its manifest: {error}.") from None
    if digest != manifest["sha256"]:
        raise ArchiveFault(f"{path} is not the file that its manifest describes: its hash is {digest}.")
    number = 0
    with gzip.open(path, "rb") as lines:
        for line in lines:
            number += 1
            yield json.loads(line)
    if number != manifest["messages"]:
        raise ArchiveFault(f"{path} holds {number} messages, and its manifest says {manifest['messages']}.")


def digest_of(path: Path) -> str:
    """SHA-256 of the file as it lies there. Raises ArchiveFault where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveFault(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, lines: Iterable[bytes]) -> str:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            for line in lines:
                packed.write(line)
        file.flush()
        os.fsync(file.fileno())
    digest = digest_of(part)
    part.replace(path)
    return digest


def _put(path: Path, body: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _flush_folder(place: Path) -> None:
    """Names are part of a folder: without this a power cut may lose a file whose bytes are on the disk."""
    for folder in (place, place.parent, place.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _lines(store: Store, ids: Sequence[int]) -> Iterator[bytes]:
    for start in range(0, len(ids), AT_ONCE):
        with store.reading() as session:
            for record in _records(session, ids[start : start + AT_ONCE]):
                yield json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _records(session: Session, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    messages = session.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id)).all()
    payloads = {one.message_id: one for one in session.scalars(select(Payload).where(Payload.message_id.in_(ids)))}
    parts = {table: _by_message(session, table, ids) for table in (Correction, TimelineEntry, Posting, ReversalOrder)}
    attempts: dict[int, list[dict[str, Any]]] = defaultdict(list)
    postings = [row["id"] for rows in parts[Posting].values() for row in rows]
    tries = select(PostingAttempt).where(PostingAttempt.posting_id.in_(postings)).order_by(PostingAttempt.number)
    for one in session.scalars(tries):
        attempts[one.posting_id].append(_columns(one))
    for message in messages:
        payload = payloads.get(message.id)
        yield {
            "format": FORMAT,
            "message": _columns(message),
            "payload": None if payload is None else _columns(payload),
            "documents": {one.step: one.body for one in documents_of(session, message.id)},
            "corrections": parts[Correction].get(message.id, []),
            "timeline": parts[TimelineEntry].get(message.id, []),
            "postings": [row | {"attempts": attempts[row["id"]]} for row in parts[Posting].get(message.id, [])],
            "reversal_orders": parts[ReversalOrder].get(message.id, []),
        }


def _by_message(session: Session, table: Any, ids: Sequence[int]) -> Mapping[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    keys = inspect(table).primary_key
    for row in session.scalars(select(table).where(table.message_id.in_(ids)).order_by(*keys)):
        found[row.message_id].append(_columns(row))
    return found


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: _plain(getattr(row, column.key)) for column in inspect(type(row)).column_attrs}


def _plain(value: Any) -> Any:
    """Bytes as base64, so that a payload comes back byte for byte."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value.isoformat() if isinstance(value, datetime) else value
