"""Files that hold whole documents instead of rows: each becomes a message with the bytes as they stood in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mappings.formats.lines import FileFault

MAX_DOCUMENT_BYTES = 5_000_000


@dataclass(frozen=True)
class Document:
    """One message of a file. ``number`` counts from 1; ``own_id`` is what its sender calls it, where the format has
    such a thing, so that the same document in another file is a repeat; ``kind`` what it says that it is (``ORDERS``,
    ``856``); ``said`` the bytes that a repeat has in common with it, where that is not the whole body."""

    number: int
    body: bytes
    content_type: str
    own_id: str | None = None
    kind: str | None = None
    said: bytes | None = None


def open_whole(stream: BinaryIO, options: Mapping[str, Any], skip: int = 0) -> Iterator[Document]:
    """The file as one document. Raises FileFault where it is empty or larger than ``MAX_DOCUMENT_BYTES``.

    Options: ``content_type``; without it XML and JSON are known by their first character.
    """
    body = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise FileFault("document_too_large", f"a document has at most {MAX_DOCUMENT_BYTES:,} bytes; send it in parts.")
    if not body.strip():
        raise FileFault("document_empty", "the file is empty; write it anew.")
    if not skip:
        yield Document(1, body, options.get("content_type") or _content_type(body))


def _content_type(body: bytes) -> str:
    """By the first character, behind a byte order mark, in any encoding that leaves ASCII as it is or widens it."""
    first = body.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    return {b"<": "application/xml", b"{": "application/json", b"[": "application/json"}.get(
        first, "application/octet-stream"
    )
