"""Rows of text files and the lines they stand on, read with a bound on memory whatever the file's size."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mappings.context import MappingError

MAX_LINE_BYTES = 65_536
_CHUNK_BYTES = 65_536
_RAW_CHARACTERS = 2_000
# Encodings in which a line end is one byte that is part of no other character.
_ENCODINGS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1250", "cp1252", "cp437", "cp850"})


@dataclass(frozen=True)
class Row:
    """``number`` is the line it begins on, from 1; ``raw`` the text as it stood in the file."""

    number: int
    values: dict[str, str]
    raw: str


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read; its neighbours can. ``field`` is the column where one can be named."""

    number: int
    field: str | None
    reason: str
    raw: str


class FileFault(MappingError):
    """The whole file cannot be read as it is described; ``reason`` says what to mend, in the file or the topology."""


@dataclass(frozen=True)
class Line:
    """``data`` without its line end, and whether it had one. ``too_long``: it went on past the bound, and the rest was
    passed over."""

    number: int
    offset: int
    data: bytes
    too_long: bool = False
    ended: bool = True


class _Cutter:
    """Cuts chunks into lines, and keeps what is not yet a whole one."""

    def __init__(self) -> None:
        self._number = 0
        self._offset = 0
        self._pending = b""
        self._skipping = False

    def cut(self, chunk: bytes, last: bool = False) -> Iterator[Line]:
        pieces = (self._pending + chunk).splitlines(keepends=True)
        self._pending = b""
        # A CR at a chunk's end may be half of a CRLF, so it waits for the next chunk.
        if pieces and not last and not pieces[-1].endswith(b"\n"):
            self._pending = pieces.pop()
        for piece in pieces:
            yield from self._line(piece)
        if len(self._pending) > MAX_LINE_BYTES and not self._pending.endswith(b"\r"):
            yield from self._begin_skipping()

    def _line(self, piece: bytes) -> Iterator[Line]:
        data = piece.rstrip(b"\r\n")
        if self._skipping:
            self._skipping = False
        else:
            self._number += 1
            too_long = len(data) > MAX_LINE_BYTES
            yield Line(self._number, self._offset, data[:MAX_LINE_BYTES], too_long, ended=len(data) < len(piece))
        self._offset += len(piece)

    def _begin_skipping(self) -> Iterator[Line]:
        if not self._skipping:
            self._number += 1
            yield Line(self._number, self._offset, self._pending[:MAX_LINE_BYTES], too_long=True)
        self._skipping = True
        self._offset += len(self._pending)
        self._pending = b""


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a file, ended by LF, CRLF or CR; a UTF-8 byte order mark at its start is passed over."""
    cutter = _Cutter()
    first = True
    while chunk := stream.read(_CHUNK_BYTES):
        for line in cutter.cut(chunk):
            yield _without_mark(line) if first else line
            first = False
    for line in cutter.cut(b"", last=True):
        yield _without_mark(line) if first else line
        first = False


def _without_mark(line: Line) -> Line:
    if line.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileFault("encoding_wrong", "the file is in UTF-16; write it in the encoding that the topology names.")
    if not line.data.startswith(codecs.BOM_UTF8):
        return line
    return Line(line.number, line.offset + 3, line.data[3:], line.too_long, line.ended)


def encoding_of(options: Mapping[str, Any]) -> str:
    """The encoding that the file's options name; raises FileFault where lines could not be told apart in it."""
    name = str(options.get("encoding", "utf-8"))
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        encoding = ""
    if encoding not in _ENCODINGS:
        known = ", ".join(sorted(_ENCODINGS))
        raise FileFault("options_invalid", f"encoding {name!r} is not one that files are read in: {known}.")
    return encoding


def decode(line: Line, encoding: str) -> str | BadRow:
    """The line's text, or why it has none, with the byte and the mend."""
    if line.too_long:
        return bad_row(line, f"the line is longer than {MAX_LINE_BYTES} bytes; is a line end missing?")
    zero = line.data.find(b"\0")
    if zero >= 0:
        return bad_row(line, f"there is a NUL byte at offset {line.offset + zero} of the file; write the row anew.")
    try:
        return line.data.decode(encoding)
    except UnicodeDecodeError as error:
        return bad_row(line, _encoding_reason(line, error.start, encoding))


def _encoding_reason(line: Line, start: int, encoding: str) -> str:
    where = f"byte 0x{line.data[start]:02x} at offset {line.offset + start} of the file is not {encoding}"
    if encoding != "utf-8":
        return f"{where}; set this file's encoding in the topology to the one that it is written in."
    return f"{where}; write the file in UTF-8, or set its encoding in the topology to latin-1 or cp1252."


def bad_row(line: Line, reason: str, field: str | None = None) -> BadRow:
    return BadRow(line.number, field, reason, raw_text(line.data))


def raw_text(data: bytes) -> str:
    """What a person can look at, whatever the bytes are."""
    return data[:_RAW_CHARACTERS].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
