"""Files of EPCIS 2.0 events in JSON: each event becomes a message of its own, in an envelope of its own document.

An event that packs tells what is in a package: it goes with each event that names the package, so that it is read
together with them. Memory is bounded by one event and by the packing events that are kept for those that follow.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from mappings.context import Deviations, MappingError
from mappings.formats import json_body
from mappings.formats.cbv import STEPS
from mappings.formats.documents import MAX_DOCUMENT_BYTES, Document
from mappings.formats.json_stream import LongList, Member, bytes_at, find_list, members_of
from mappings.formats.lines import BadRow, FileFault, raw_text

_JSON = "application/json"
_LISTS = (("epcisBody", "eventList"), ("epcisBody", "queryResults", "resultsBody", "eventList"), ("eventList",), ())
_ENVELOPE = ("@context", "id", "type", "@type", "isA", "schemaVersion", "creationDate")
ENVELOPE_BYTES = 65_536
KEPT_PACKINGS = 2_000
KEPT_BYTES = 2_000_000
_MEMBERS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_IN_ONE_FILE = "What stands around the events"

Piece = Document | BadRow


def open_events(stream: BinaryIO, options: Mapping[str, Any], skip: int = 0) -> Iterator[Piece]:
    """The file's events, good and bad, in its order, a packing event that nothing names behind them; the first ``skip``
    of these pieces are passed over. Knows no options.

    The file is read twice, so that one that is cut off is not taken in part. Raises FileFault where it is empty or no
    whole JSON, or where what stands around its events is too large.
    """
    if not bytes_at(stream, 0, 65_536).strip(b"\xef\xbb\xbf \t\r\n"):
        raise FileFault("document_empty", "the file is empty; write it anew.")
    found = find_list(stream, _LISTS)
    if found is None:
        return islice(_one_event(stream), skip, None)
    return islice(_Events(stream, found, *_envelope(stream, found)).pieces(), skip, None)


def _one_event(stream: BinaryIO) -> Iterator[Piece]:
    """A file without a list of events is one message, whose reading tells what it is."""
    body = bytes_at(stream, 0, MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        told = f"the file has no list of events, and a document has at most {MAX_DOCUMENT_BYTES:,} bytes."
        raise FileFault("document_too_large", told)
    yield Document(1, body, _JSON)


def _envelope(stream: BinaryIO, found: LongList) -> tuple[bytes, bytes]:
    """What goes before and behind each event. Master data in the header is left out, since no mapping reads it."""
    stream.seek(0, 2)
    size = stream.tell()
    if found.begin + size - found.end > MAX_DOCUMENT_BYTES:
        told = f"{_IN_ONE_FILE} has more than {MAX_DOCUMENT_BYTES:,} bytes; have it sent without."
        raise FileFault("document_too_large", told)
    try:
        around = json_body.read(bytes_at(stream, 0, found.begin) + bytes_at(stream, found.end, size))
    except MappingError as fault:
        raise FileFault(fault.code, f"{_IN_ONE_FILE} cannot be read: {fault.reason}", fault.field) from None
    if not isinstance(around, dict):
        return b"[", b"]"
    kept = {name: around[name] for name in _ENVELOPE if name in around}
    head = json.dumps(kept, ensure_ascii=False, default=str).encode()
    if len(head) > ENVELOPE_BYTES:
        told = f"{_IN_ONE_FILE} would come to more than {ENVELOPE_BYTES:,} bytes a message; have it sent without."
        raise FileFault("document_too_large", told)
    path = next(path for path in _LISTS if path and _within(around, path) == [])
    opened = b"{".join(b'"' + name.encode() + b'": ' for name in path)
    return head[:-1] + (b", " if kept else b"") + opened + b"[", b"]" + b"}" * len(path)


def events_of(document: Any) -> list[Any]:
    """The events of a document that was read already; none where it has no list of them."""
    found = (_within(document, path) for path in _LISTS)
    return next((events for events in found if isinstance(events, list)), [])


def _within(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


@dataclass
class _Packing:
    """A packing event that waits for what names its package."""

    number: int
    body: bytes
    parent: str
    children: tuple[str, ...]
    own_id: str | None
    named: bool = False


@dataclass
class _Events:
    stream: BinaryIO
    found: LongList
    head: bytes
    tail: bytes
    waiting: deque[_Packing] = field(default_factory=deque)
    by_parent: dict[str, list[_Packing]] = field(default_factory=dict)
    kept_bytes: int = 0

    def pieces(self) -> Iterator[Piece]:
        number = 0
        for member in members_of(self.stream, self.found):
            if member.before.strip(b" \t\r\n") != (b"," if number else b""):
                number += 1
                told = "something else than events that are parted by commas stands in the list; write the file anew."
                yield BadRow(number, None, told, raw_text(member.before))
            if member.end > member.begin:
                number += 1
                yield from self._piece(number, member)
        for packing in self.waiting:
            if not packing.named:
                yield self._document(packing.number, packing.body, packing.own_id, [])

    def _piece(self, number: int, member: Member) -> Iterator[Piece]:
        if member.end - member.begin > MAX_DOCUMENT_BYTES - len(self.head) - len(self.tail):
            told = f"the event is larger than {MAX_DOCUMENT_BYTES:,} bytes; have it sent in parts."
            yield BadRow(number, None, told, raw_text(bytes_at(self.stream, member.begin, member.begin + 2_000)))
            return
        body = bytes_at(self.stream, member.begin, member.end)
        try:
            event = json_body.read(body)
        except MappingError as fault:
            yield BadRow(number, fault.field, fault.reason, raw_text(body))
            return
        packing = _packing(number, body, event)
        if packing is not None:
            self.waiting.append(packing)
            self.by_parent.setdefault(packing.parent, []).append(packing)
            self.kept_bytes += len(body)
            yield from self._let_go()
        else:
            yield self._document(number, body, _own_id(event), self._named_in(event))

    def _named_in(self, event: Any) -> list[_Packing]:
        """The packing events of the packages that the event names, and of those within them."""
        names, found = list(_names(event)) if self.waiting else [], dict[int, _Packing]()
        while names:
            for packing in self.by_parent.get(names.pop(), ()):
                if packing.number not in found:
                    packing.named = True
                    found[packing.number] = packing
                    names += packing.children
        return [found[number] for number in sorted(found)]

    def _let_go(self) -> Iterator[Piece]:
        """The oldest, where there are too many: one that nothing has named is a message of its own."""
        while len(self.waiting) > KEPT_PACKINGS or self.kept_bytes > KEPT_BYTES:
            oldest = self.waiting.popleft()
            self.kept_bytes -= len(oldest.body)
            self.by_parent[oldest.parent].remove(oldest)
            if not self.by_parent[oldest.parent]:
                del self.by_parent[oldest.parent]
            if not oldest.named:
                yield self._document(oldest.number, oldest.body, oldest.own_id, [])

    def _document(self, number: int, body: bytes, own_id: str | None, packings: list[_Packing]) -> Piece:
        said = b",\n".join([*(packing.body for packing in packings), body])
        whole = self.head + said + self.tail
        if len(whole) > MAX_DOCUMENT_BYTES:
            told = f"the event and those that pack what it names have more than {MAX_DOCUMENT_BYTES:,} bytes together."
            return BadRow(number, None, told, raw_text(body))
        return Document(number, whole, _JSON, own_id, said=said)


def _own_id(event: Any) -> str | None:
    """The event's id. A declaration bears the id of the event that it declares wrong, and is another message."""
    found = event.get("eventID") if isinstance(event, dict) else None
    if not isinstance(found, str) or not 1 <= len(found) <= 150 or not found.isprintable():
        return None
    return f"{found}|declared wrong" if event.get("errorDeclaration") else found


def _packing(number: int, body: bytes, event: Any) -> _Packing | None:
    if not isinstance(event, dict) or event.get("errorDeclaration") or event.get("action") == "DELETE":
        return None
    if not str(event.get("type")).endswith("AggregationEvent"):
        return None
    step, parent = event.get("bizStep"), event.get("parentID")
    if not isinstance(step, str) or not isinstance(parent, str) or not parent:
        return None
    if STEPS.read(step, Deviations(), "bizStep") != "packing":
        return None
    return _Packing(number, body, parent, tuple(_names({"childEPCs": event.get("childEPCs")})), _own_id(event))


def _names(event: Any) -> Iterator[str]:
    """What an event names, in the sender's own writing."""
    if not isinstance(event, dict):
        return
    if isinstance(parent := event.get("parentID"), str):
        yield parent
    for field_name in _MEMBERS:
        members = event.get(field_name)
        for member in members if isinstance(members, list) else [members]:
            if isinstance(member, str):
                yield member
