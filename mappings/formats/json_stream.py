"""Where the members of one long list of a JSON file stand, found with a bound on memory whatever the file's size.

Only brackets and strings are looked at, and no byte is changed: what a member holds, and whether it is JSON at all, is
told by whoever reads it. Maintained readers of streams (ijson) give values instead, whose digits and repeated keys are
then another's (docs/decisions/0006-dependencies.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from mappings.formats.documents import MAX_DOCUMENT_BYTES
from mappings.formats.json_body import MAX_DEPTH
from mappings.formats.lines import FileFault

_CHUNK_BYTES = 65_536
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+("?)|[\[\]{}]', re.DOTALL)
_BLANKS = b" \t\r\n"
_CLOSES = {b"{": b"}", b"[": b"]"}

Path = tuple[str, ...]


@dataclass(frozen=True)
class LongList:
    """``begin`` and ``end``: the offsets of its first byte behind the bracket, and of its closing bracket."""

    begin: int
    end: int


@dataclass(frozen=True)
class Member:
    """One member of the list, from its first byte up to ``end``. ``before``: what stands between it and the one before,
    which is a comma and blanks in any JSON."""

    begin: int
    end: int
    before: bytes


def find_list(stream: BinaryIO, paths: Collection[Path]) -> LongList | None:
    """The first list at one of these paths of keys; None where there is none.

    Raises FileFault where the file's brackets do not match, or it ends before they do.
    """
    open_: list[tuple[bytes, str | None]] = []
    key: str | None = None
    begin = end = None
    at = 0
    for at, token in _tokens(stream, 0):
        if token in _CLOSES:
            open_.append((token, key))
            if begin is None and token == b"[" and _path(open_) in paths:
                begin, depth = at + 1, len(open_)
            key = None
            if len(open_) > MAX_DEPTH:
                raise FileFault("json_too_deep", f"the file nests deeper than {MAX_DEPTH} levels.", f"byte {at}")
        elif token[:1] == b'"':
            if open_ and open_[-1][0] == b"{":
                key = token[1:-1].decode("utf-8", "replace")
        elif not open_ or _CLOSES[open_[-1][0]] != token:
            raise FileFault("json_invalid", f"a {token.decode()} closes what is not open; write it anew.", f"byte {at}")
        else:
            if begin is not None and end is None and len(open_) == depth:
                end = at
            open_.pop()
    if open_:
        told = "the file ends before all that it opens is closed; was it cut off? Have it written whole."
        raise FileFault("json_invalid", told, f"byte {at}")
    return None if begin is None or end is None else LongList(begin, end)


def members_of(stream: BinaryIO, found: LongList) -> Iterator[Member]:
    """The members that are objects or lists, in their order. What else stands between them is told by ``before``."""
    depth, begin, last = 0, 0, found.begin
    for at, token in _tokens(stream, found.begin, found.end):
        if token in _CLOSES:
            begin = at if depth == 0 else begin
            depth += 1
        elif token[:1] != b'"':
            depth -= 1
            if depth == 0:
                yield Member(begin, at + 1, bytes_at(stream, last, min(begin, last + _CHUNK_BYTES)))
                last = at + 1
    if rest := bytes_at(stream, last, min(found.end, last + _CHUNK_BYTES)).strip(_BLANKS):
        yield Member(found.end, found.end, rest)


def bytes_at(stream: BinaryIO, begin: int, end: int) -> bytes:
    stream.seek(begin)
    return stream.read(end - begin)


def _path(open_: list[tuple[bytes, str | None]]) -> Path:
    """The keys to the innermost of what is open."""
    return tuple(key for _, key in open_ if key is not None)


def _tokens(stream: BinaryIO, at: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Brackets and strings, each with its offset. Whoever takes them may read elsewhere in the stream meanwhile."""
    buffer = b""
    base, ahead = at, at
    while chunk := bytes_at(stream, ahead, ahead + _CHUNK_BYTES if end is None else min(end, ahead + _CHUNK_BYTES)):
        ahead += len(chunk)
        buffer += chunk
        kept = len(buffer)
        for found in _TOKEN.finditer(buffer):
            if found[0][:1] == b'"' and not found[1]:
                kept = found.start()
                break
            yield base + found.start(), found[0]
        if len(buffer) - kept > MAX_DOCUMENT_BYTES:
            told = f"a text of it has more than {MAX_DOCUMENT_BYTES:,} bytes; is a quote missing?"
            raise FileFault("document_too_large", told, f"byte {base + kept}")
        base, buffer = base + kept, buffer[kept:]
    if buffer:
        raise FileFault("json_invalid", "the file ends within a text; was it cut off? Have it written whole.")
