"""What SAP says of an IDoc type as parser text (report RSEIDOC3, "Documentation for IDoc Record Types and IDoc Types
(Parser)", which transaction WE60 runs), as a layout file.

Each token stands on a line of its own, with its value behind it; the words of TEXT and VALUE_TEXT are free.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from config.record_layouts import COLUMN_TYPES

HEAD_CHARACTERS = 63
"""A data record's own fields, before those of its segment."""
_BEGIN = re.compile(r"BEGIN_SEGMENT[ \t]+(\S+)")
_TYPE_TOKENS = ("SEGMENTTYPE", "SEGMENT_TYPE")
_TYPES: Mapping[str, str] = {kind: kind for kind in COLUMN_TYPES} | {"CHAR": "CHARACTER", "NUMC": "NUMERIC"}
_VERSION = re.compile(r"[0-9]{3}", re.ASCII)


class ParserTextFault(Exception):
    """The text cannot become a layout; the text says at which line and segment, and what to do."""

    def __init__(self, line: int, segment: str, reason: str, mend: str) -> None:
        place = f"line {line}" + (f", segment {segment}" if segment else "")
        super().__init__(f"{place}: {reason}; {mend}.")


@dataclass(frozen=True)
class Field:
    """``at`` counts from 1 behind the record's head."""

    name: str
    at: int
    length: int
    type: str


@dataclass
class _Segment:
    line: int
    definition: str
    kind: str = ""
    fields: list[Field] = field(default_factory=list)

    @property
    def type(self) -> str:
        """As the text tells it, else by the definition: ``E2EDL24006`` is a release of ``E1EDL24``."""
        return self.kind or _type_of(self.definition)


def decoded(raw: bytes) -> str:
    """UTF-8 or UTF-16 with its mark, as a download from SAP's screen is written, else Latin-1."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def segments_of(text: str) -> dict[str, Sequence[Field]]:
    """The fields by the type of their segment. Raises ParserTextFault.

    A segment that stands at several places of the IDoc type is one, and of several releases the one of the most fields
    counts: SAP only ever appends fields to a released segment.
    """
    found: dict[str, Sequence[Field]] = {}
    for segment in _segments(text):
        before = found.get(segment.type, ())
        longer, shorter = sorted((before, segment.fields), key=len, reverse=True)
        if list(longer[: len(shorter)]) != list(shorter):
            told = "it stands in the text twice, with different fields"
            raise ParserTextFault(segment.line, segment.type, told, "leave the one out that is not sent")
        found[segment.type] = longer
    if not found:
        told = "there is no BEGIN_SEGMENT in this text"
        mend = "download the IDoc type's documentation from WE60 by Documentation, Parser, segments included"
        raise ParserTextFault(1, "", told, mend)
    return found


def layout_text(segments: Mapping[str, Sequence[Field]], source: str) -> str:
    """A layout file, which ``config/record_layouts.py`` reads."""
    lines = ["version: 1", f"source: {json.dumps(source)}", "segments:"]
    for segment, fields in segments.items():
        lines.append(f"  {json.dumps(segment)}:")
        for one in fields:
            lines.append(
                f"    - {{name: {json.dumps(one.name)}, at: {one.at}, length: {one.length}, type: {one.type}}}"
            )
    return "\n".join(lines) + "\n"


def _segments(text: str) -> Iterator[_Segment]:
    segment: _Segment | None = None
    tokens: dict[str, str] = {}
    begun = 0
    for number, line in enumerate(text.split("\n"), start=1):
        word, _, value = line.replace("\t", " ").strip(" \r\x1a\0").partition(" ")
        value = value.strip()
        if began := _BEGIN.match(line.strip()):
            if segment is not None:
                raise _not_closed(segment)
            segment, tokens = _Segment(number, began[1][:40]), {}
        elif segment is None:
            continue
        elif word == "END_SEGMENT":
            _close(segment, tokens, begun)
            yield segment
            segment = None
        elif word in _TYPE_TOKENS:
            segment.kind = value[:40]
        elif word == "NAME":
            _take(segment, tokens, begun)
            tokens, begun = {word: value}, number
        elif word in ("TYPE", "LENGTH", "CHARACTER_FIRST", "CHARACTER_LAST") and tokens:
            tokens.setdefault(word, value)
    if segment is not None:
        raise _not_closed(segment)


def _not_closed(segment: _Segment) -> ParserTextFault:
    told = "it has no END_SEGMENT; was the text cut off?"
    return ParserTextFault(segment.line, segment.definition, told, "download it whole")


def _close(segment: _Segment, tokens: Mapping[str, str], begun: int) -> None:
    _take(segment, tokens, begun)
    if not segment.fields:
        raise ParserTextFault(segment.line, segment.definition, "it has no fields", "download the text with fields")


def _take(segment: _Segment, tokens: Mapping[str, str], line: int) -> None:
    """One field, held against those before it and against its own numbers."""
    if not tokens:
        return
    name = tokens["NAME"][:40]
    if not name:
        raise ParserTextFault(line, segment.definition, "a field has no name", "download the text anew")
    numbers = {
        token: _number(segment, name, token, tokens, line) for token in ("LENGTH", "CHARACTER_FIRST", "CHARACTER_LAST")
    }
    first, last, length = numbers["CHARACTER_FIRST"], numbers["CHARACTER_LAST"], numbers["LENGTH"]
    if last - first + 1 != length:
        told = f"field {name} has LENGTH {length} and stands from {first} to {last}"
        raise ParserTextFault(line, segment.definition, told, "mend the one that is wrong")
    if (kind := _TYPES.get(tokens.get("TYPE", "CHARACTER").upper())) is None:
        told = f"field {name} has the type {tokens['TYPE'][:20]!r}, which is not known"
        raise ParserTextFault(line, segment.definition, told, f"write one of {', '.join(_TYPES)}")
    segment.fields.append(Field(name, first - HEAD_CHARACTERS, length, kind))


def _number(segment: _Segment, name: str, token: str, tokens: Mapping[str, str], line: int) -> int:
    value = tokens.get(token, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        told = f"field {name} has no number as its {token}"
        raise ParserTextFault(line, segment.definition, told, "download the text anew")
    return int(value)


def _type_of(definition: str) -> str:
    name = definition[:-3] if _VERSION.fullmatch(definition[-3:]) else definition
    return f"{name[0]}1{name[2:]}" if name[:2] in ("E2", "E3", "Z2", "Z3") else name
