"""Files of EDI interchanges: each message becomes a document of its own, in an envelope of its own interchange.

A message that is not whole is a bad piece and its neighbours are taken. What an interchange says of itself as a whole,
its count and its end, is known only behind its messages; where it does not hold, that is a bad piece too, which says
that messages may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO

from mappings.context import MappingError
from mappings.formats.documents import MAX_DOCUMENT_BYTES, Document
from mappings.formats.edi_envelope import Envelope, Level, text_at
from mappings.formats.edi_segments import Separators, split_elements
from mappings.formats.edi_stream import SegmentStream
from mappings.formats.lines import BadRow, FileFault, raw_text

Piece = Document | BadRow


@dataclass(frozen=True)
class Begun:
    """An interchange's beginning: how many bytes its separators take, and the opening segment's elements where they
    are among these (ISA)."""

    by: Separators
    size_bytes: int
    opening: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Dialect:
    """``sender``: the element of the interchange's opening segment that names it; ``kind``: the element of the
    message's opening segment that says what it is."""

    envelope: Envelope
    begin: Callable[[bytes], Begun]
    sender: int
    content_type: str
    kind: int


def open_messages(dialect: Dialect, stream: BinaryIO, skip: int = 0) -> Iterator[Piece]:
    """The file's messages, good and bad, in its order; the first ``skip`` of them are passed over.

    Raises FileFault where the file is empty or begins like no interchange.
    """
    return islice(_pieces(dialect, SegmentStream(stream)), skip, None)


def _pieces(dialect: Dialect, source: SegmentStream) -> Iterator[Piece]:
    number = 0
    begun: Begun | None = None
    while head := source.head():
        try:
            begun = dialect.begin(head)
        except MappingError as error:
            if begun is None:
                raise FileFault(error.code, error.reason.replace("the body", "the file"), error.field) from None
            told = f"what follows the last interchange is none, and was not read: {error.reason}"
            yield BadRow(number + 1, None, told, raw_text(head))
            return
        for piece in _Interchange(dialect, begun, source).pieces():
            number += 1
            yield replace(piece, number=number)
    if begun is None:
        raise FileFault("document_empty", "the file is empty; write it anew.")


@dataclass
class _Interchange:
    """One interchange: what opened it, its group, and the message under way."""

    dialect: Dialect
    begun: Begun
    source: SegmentStream
    advice: bytes = b""
    head: bytes = b""
    opening: dict[str, Any] | None = None
    group: dict[str, Any] | None = None
    group_head: bytes = b""
    message: dict[str, Any] | None = None
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    wrong: str = ""
    messages: int = 0
    groups: int = 0
    strayed: bool = False

    def pieces(self) -> Iterator[Piece]:
        self.head = self.advice = self.source.take(self.begun.size_bytes)
        if self.begun.opening is not None:
            self.opening = {"tag": "ISA", "elements": list(self.begun.opening)}
        by = self.begun.by
        terminator, release = by.terminator.encode("latin-1"), by.release.encode("latin-1") if by.release else None
        while (taken := self.source.segment(terminator, release)) is not None:
            raw, whole = taken
            closed = False
            for piece in self._take(raw, whole):
                closed = piece is None
                if piece is not None:
                    yield piece
            if closed:
                return
        yield from self._ended()

    def _take(self, raw: bytes, whole: bool) -> Iterator[Piece | None]:
        """None as the last one says that the interchange is closed."""
        interchange, group, message = self.dialect.envelope.interchange, self.dialect.envelope.group, self._level
        tag = self._tag(raw)
        if tag == message.opens:
            yield from self._cut_off(f"{message.opens} follows")
            self.message, self.parts, self.size, self.wrong = self._segment(raw), [], 0, ""
            self._add(raw, whole)
            self.messages += 1
        elif self.message is not None and tag == message.closes:
            self._add(raw, whole)
            yield self._finished()
        elif tag == interchange.opens:
            yield from self._cut_off(f"{interchange.opens} follows")
            yield from self._unclosed(f"another {interchange.opens} follows")
            self._open(raw)
        elif tag == interchange.closes:
            yield from self._cut_off(f"{interchange.closes} follows")
            yield from self._closing(self._segment(raw))
            yield None
        elif tag in (group.opens, group.closes):
            yield from self._cut_off(f"{tag} follows")
            self.group = self._segment(raw) if tag == group.opens else None
            self.group_head = raw if tag == group.opens else b""
            self.groups += tag == group.opens
        elif self.message is not None:
            self._add(raw, whole)
        elif raw.strip() and tag not in self.dialect.envelope.passed_over and not self.strayed:
            self.strayed = True
            yield BadRow(
                0, None, f"{tag or 'a segment'} stands outside any message, and was passed over.", raw_text(raw)
            )

    @property
    def _level(self) -> Level:
        return self.dialect.envelope.message

    def _tag(self, raw: bytes) -> str:
        return raw[:200].lstrip(b"\r\n\t \x1a\x00").decode("latin-1").partition(self.begun.by.element)[0].strip()

    def _segment(self, raw: bytes) -> dict[str, Any]:
        text = raw.decode("latin-1").strip("\r\n\t \x1a\x00").removesuffix(self.begun.by.terminator)
        tag, *elements = split_elements(text.replace("\r", "").replace("\n", ""), self.begun.by)
        return {"tag": tag, "elements": elements}

    def _add(self, raw: bytes, whole: bool) -> None:
        self.size += len(raw)
        if not whole and not self.wrong:
            self.wrong = f"a segment of it ({raw_text(raw[:12])!r}) is too long, or has no terminator"
        if self.size > MAX_DOCUMENT_BYTES - len(self.head):
            self.wrong = self.wrong or f"it is larger than {MAX_DOCUMENT_BYTES:,} bytes; have it sent in parts"
        else:
            self.parts.append(raw)

    def _finished(self) -> Piece:
        message, self.message = self.message, None
        body, self.parts = b"".join(self.parts), []
        if self.wrong:
            return BadRow(0, None, f"the message {self._name(message)} was not taken: {self.wrong}.", raw_text(body))
        whole = self.head + self.group_head + body + self._tail()
        return Document(0, whole, self.dialect.content_type, self._own_id(message), self._kind(message))

    def _name(self, message: dict[str, Any] | None) -> str:
        return repr(text_at(message, self._level.reference)[:35])

    def _kind(self, message: dict[str, Any] | None) -> str | None:
        """An EDIFACT message in a group may leave its kind to UNG."""
        return text_at(message, self.dialect.kind) or text_at(self.group, 1) or None

    def _tail(self) -> bytes:
        """The end of an interchange that holds this message alone."""
        levels = [(self.group, self.dialect.envelope.group), (self.opening, self.dialect.envelope.interchange)]
        by, lines = self.begun.by, []
        for opened, level in levels:
            if opened is not None:
                lines.append(by.element.join([level.closes, "1", self._raw_reference(opened, level)]) + by.terminator)
        return "".join(f"\n{line}" if by.terminator not in "\r\n" else line for line in lines).encode("latin-1")

    def _raw_reference(self, opened: dict[str, Any], level: Level) -> str:
        by, text = self.begun.by, text_at(opened, level.reference)
        if by.release is None:
            return text
        special = (by.release, by.element, by.component, by.terminator, by.repetition)
        return "".join(by.release + each if each in special else each for each in text)

    def _own_id(self, message: dict[str, Any] | None) -> str | None:
        """Sender, interchange, group where there is one, and message; None where they do not name it."""
        interchange, group = self.dialect.envelope.interchange, self.dialect.envelope.group
        names = [text_at(self.opening, self.dialect.sender), text_at(self.opening, interchange.reference)]
        names += [text_at(self.group, group.reference)] if self.group is not None else []
        names.append(text_at(message, self._level.reference))
        told = "|".join(_decoded(name) for name in names)
        return told if all(names) and told.isprintable() else None

    def _cut_off(self, why: str) -> Iterator[Piece]:
        if self.message is not None:
            told = f"the message {self._name(self.message)} has no {self._level.closes}: {why}. Have it sent whole."
            yield BadRow(0, None, told, raw_text(b"".join(self.parts)))
            self.message, self.parts = None, []

    def _ended(self) -> Iterator[Piece]:
        yield from self._cut_off("the file ends")
        yield from self._unclosed("the file ends")

    def _unclosed(self, why: str) -> Iterator[Piece]:
        if self.opening is not None:
            closes = self.dialect.envelope.interchange.closes
            told = f"the interchange has no {closes}: {why} behind {self.messages} messages, and more may be missing."
            yield BadRow(0, None, f"{told} Have it sent whole; what was taken is known again.", "")

    def _open(self, raw: bytes) -> None:
        self.head = (self.advice if self.begun.opening is None else b"") + raw
        self.opening, self.group, self.group_head = self._segment(raw), None, b""
        self.messages = self.groups = 0

    def _closing(self, closing: dict[str, Any]) -> Iterator[Piece]:
        level = self.dialect.envelope.interchange
        right = self.groups or self.messages
        count, named = text_at(closing, 1), text_at(closing, 2)
        if not (count.isascii() and count.isdigit() and len(count) < 10 and int(count) == right):
            told = f"{level.closes} counts {count[:20]!r} and there are {right}; messages may be missing."
            yield BadRow(0, None, told, "")
        if named != text_at(self.opening, level.reference):
            told = f"{level.closes} says {named[:35]!r}, which is not the reference of its {level.opens}; "
            yield BadRow(0, None, f"{told}the end of one interchange and the rest of another may be missing.", "")


def _decoded(name: str) -> str:
    """Bytes were read one a character; where they are UTF-8, as that."""
    try:
        return name.encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        return name
