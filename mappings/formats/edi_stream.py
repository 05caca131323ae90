"""A file of EDI segments, read a segment at a time with a bound on memory whatever the file's size."""

from __future__ import annotations

from typing import BinaryIO

from mappings.context import MappingError
from mappings.formats import edi_text
from mappings.formats.lines import FileFault

MAX_SEGMENT_BYTES = 65_536
HEAD_BYTES = 2_000
_CHUNK_BYTES = 65_536
_PADDING = b"\r\n\t \x1a\x00"


class SegmentStream:
    """Bytes as they stand in the file. Separators are ASCII in every encoding that EDI is written in but UTF-16."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._ended = False
        self._fill(4)
        try:
            plain = edi_text.without_mark(self._buffer)
        except MappingError as error:
            raise FileFault("encoding_wrong", error.reason.replace("the body", "the file"), error.field) from None
        self._at = len(self._buffer) - len(plain)

    def head(self) -> bytes:
        """What comes next, behind blanks and line ends, up to ``HEAD_BYTES``; empty at the end of the file."""
        while True:
            self._fill(HEAD_BYTES)
            ahead = self._buffer[self._at : self._at + HEAD_BYTES]
            begun = ahead.lstrip(_PADDING)
            self._at += len(ahead) - len(begun)
            if len(begun) == len(ahead) or (self._ended and not begun):
                return begun

    def take(self, size: int) -> bytes:
        """The next bytes, of those that ``head`` showed."""
        taken = self._buffer[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def segment(self, terminator: bytes, release: bytes | None) -> tuple[bytes, bool] | None:
        """The next segment with its terminator, and whether it is whole: one that is too long is cut and passed over,
        and the last one may lack its terminator. None at the end of the file."""
        found = self._find(terminator, release, self._at)
        if found is None and len(self._buffer) - self._at > MAX_SEGMENT_BYTES:
            return self._pass_over(terminator, release), False
        end = len(self._buffer) if found is None else found + 1
        if end == self._at:
            return None
        taken, self._at = self._buffer[self._at : end], end
        return taken, found is not None and len(taken) <= MAX_SEGMENT_BYTES

    def _find(self, terminator: bytes, release: bytes | None, at: int) -> int | None:
        """Where the next terminator that is not released stands; reads on up to a segment's bound."""
        begin = at
        while True:
            end = self._buffer.find(terminator, at)
            if end >= 0 and release and self._is_released(begin, end, release):
                at = end + 1
            elif end >= 0:
                return end
            else:
                scanned = len(self._buffer) - self._at
                if self._ended or scanned > MAX_SEGMENT_BYTES:
                    return None
                self._fill(scanned + _CHUNK_BYTES)
                begin = self._at
                at = begin + scanned

    def _is_released(self, begin: int, end: int, release: bytes) -> bool:
        if end == begin or self._buffer[end - 1 : end] != release:
            return False
        before = self._buffer[begin:end]
        return (len(before) - len(before.rstrip(release))) % 2 == 1

    def _pass_over(self, terminator: bytes, release: bytes | None) -> bytes:
        first = self._buffer[self._at : self._at + MAX_SEGMENT_BYTES]
        while True:
            self._at = len(self._buffer)
            found = self._find(terminator, release, self._at)
            if found is not None:
                self._at = found + 1
                return first
            if self._ended:
                self._at = len(self._buffer)
                return first

    def _fill(self, wanted: int) -> None:
        """Have at least so many bytes ahead, where the file has them; what was taken is let go."""
        if self._ended or len(self._buffer) - self._at >= wanted:
            return
        parts = [self._buffer[self._at :]]
        ahead = len(parts[0])
        while ahead < wanted and not self._ended:
            chunk = self._stream.read(_CHUNK_BYTES)
            self._ended = not chunk
            parts.append(chunk)
            ahead += len(chunk)
        self._buffer, self._at = b"".join(parts), 0
