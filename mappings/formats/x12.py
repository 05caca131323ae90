"""ANSI ASC X12 interchanges (versions 00200 to 00800) as plain values.

The separators stand at fixed places of ISA, which is 106 characters long. Real files pad its elements otherwise or
wrap it, so that where the places do not hold, its sixteen elements are counted; and some begin with GS or ST.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mappings.context import Deviations, MappingError
from mappings.formats import edi_envelope, edi_files, edi_text
from mappings.formats.documents import Document
from mappings.formats.edi_envelope import Enclosed, Envelope, Level, text_at
from mappings.formats.edi_files import Begun, Dialect
from mappings.formats.edi_segments import Cut, Separators, cut
from mappings.formats.lines import BadRow

ENVELOPE = Envelope(
    Level("ISA", "IEA", reference=13),
    Level("GS", "GE", reference=6),
    Level("ST", "SE", reference=2),
    needs_group=True,
    passed_over=frozenset({"TA1"}),
)
ISA_ELEMENTS = 16
_ISA_CHARACTERS = 106
# X12.5, the interchange control structure: where the element separator stands in ISA, counted from 0.
_ISA_SEPARATOR_PLACES = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_HEAD_CHARACTERS = 1_000
_TERMINATORS = ("~", "'", "\n", "\r", "\x1c", "\x85")
_LINE_ENDS = ("\r", "\n")
# The information separators, which senders take since no text holds them; to Python they are blanks.
_INFORMATION_SEPARATORS = ("\x1c", "\x1d", "\x1e", "\x1f")
_AFTER_ISA = re.compile(r"\s*(GS|TA1|ST|IEA|ISA)")


@dataclass(frozen=True)
class Header:
    """How a body is written: its separators, and how many characters its ISA takes with its terminator; 0 without."""

    by: Separators
    characters: int
    elements: tuple[str, ...] = ()


def read(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """The interchanges' transaction sets as ``{decimal, messages: [{kind, release, reference, sender, receiver,
    interchange, place, end, segments}]}``; segments are ``{tag, place, elements}`` without the envelope's own.

    Raises MappingError where the body is no interchange, is not whole, or passes a bound.
    """
    deviations = deviations or Deviations()
    text = edi_text.decoded(edi_text.without_mark(body), "ascii", "X12", deviations)
    begin = len(text) - len(text.lstrip())
    head = header_of(text[begin : begin + _HEAD_CHARACTERS], deviations)
    found = cut(text, begin + head.characters, head.by, deviations, before=1 if head.characters else 0)
    segments = _whole(found, head, deviations)
    if head.characters:
        segments.insert(0, {"tag": "ISA", "place": "segment 1 (ISA) in line 1 column 1", "elements": [*head.elements]})
    messages = edi_envelope.messages_in(segments, ENVELOPE, deviations)
    if not messages:
        told = "the interchange holds no transaction set; discard it if that is right."
        raise MappingError("document_empty", told, found.rest_place)
    if head.characters and head.elements[14] == "T":
        deviations.allow("test_indicator", "the interchange is marked as a test", segments[0]["place"])
    return {"decimal": ".", "messages": [_message(message) for message in messages]}


def header_of(head: str, deviations: Deviations) -> Header:
    """The separators, from the first characters of a body. Raises MappingError where it begins like no interchange."""
    if head.startswith("ISA"):
        return _isa(head, deviations)
    begun = re.match(r"(GS|ST)([^A-Za-z0-9\s])", head)
    if begun is None:
        told = f"the body begins with {head[:12]!r}; an X12 interchange begins with ISA."
        raise MappingError("document_unknown", told, "line 1 column 1")
    terminator = next((mark for mark in _TERMINATORS if mark in head), None)
    if terminator is None:
        raise _no_separators(f"behind {begun.group(1)} no segment terminator was found")
    return Header(Separators(begun.group(2), terminator), 0)


def _isa(head: str, deviations: Deviations) -> Header:
    separator = head[3:4]
    blank = separator.isspace() and separator not in _INFORMATION_SEPARATORS
    if not separator or separator.isalnum() or blank:
        raise _no_separators("ISA is not followed by an element separator")
    fixed = len(head) >= _ISA_CHARACTERS and all(head[place] == separator for place in _ISA_SEPARATOR_PLACES)
    pieces = head.split(separator, ISA_ELEMENTS)
    if len(pieces) <= ISA_ELEMENTS:
        raise _no_separators(f"ISA has {len(pieces) - 1} of its {ISA_ELEMENTS} elements")
    end = len(head) - len(pieces[-1]) + 1
    if _lacks_component(head[end - 1 :]):
        end, fixed = end - 1, False
    component, terminator = head[end - 1 : end], head[end : end + 1]
    if not terminator or terminator.isalnum() or terminator in (" ", separator, component):
        raise _no_separators(f"{terminator!r} behind ISA is no segment terminator")
    if component.isalnum() or not _AFTER_ISA.match(head[end + 1 :] or "ISA"):
        raise _no_separators("no GS follows ISA and its terminator")
    if not fixed:
        deviations.allow("isa_width_wrong", "the elements of ISA have not the widths that they must have", "line 1")
    return Header(Separators(separator, terminator), end + 1, (*(_plain(piece) for piece in pieces[1:-1]), ""))


def _lacks_component(last: str) -> bool:
    """Whether the last element of ISA is empty: what stands there then ends the next line as well."""
    lines = last[1:].lstrip("\r\n").splitlines()
    return last[1:2] in _LINE_ENDS and bool(lines) and lines[0].endswith(last[:1])


def _plain(element: str) -> str:
    return element.replace("\r", "").replace("\n", "").strip()


def _no_separators(why: str) -> MappingError:
    mend = "ISA has 16 elements, of which the last is the component separator, and then the segment terminator."
    return MappingError("separators_invalid", f"{why}. {mend}", "line 1 column 1")


def _whole(found: Cut, head: Header, deviations: Deviations) -> list[dict[str, Any]]:
    """The segments, with a last one that lacks only its terminator; raises MappingError where more is cut off."""
    if not found.rest:
        return found.segments
    tag, *elements = found.rest.split(head.by.element)
    last = {"tag": tag, "elements": elements, "place": f"the last segment in {found.rest_place}"}
    if tag != "IEA" or not head.characters or text_at(last, 2) != head.elements[12]:
        told = f"the body ends within {found.rest[:20]!r}, which has no terminator; was it cut off? Send it whole."
        raise MappingError("interchange_incomplete", told, found.rest_place)
    if head.by.terminator not in "\r\n":
        deviations.allow("terminator_wrong", "the last segment has no terminator", found.rest_place)
    return [*found.segments, last]


def _message(message: Enclosed) -> dict[str, Any]:
    header, around, group = message.opening, message.interchange, message.group
    named = {
        "kind": text_at(header, 1),
        "release": text_at(group, 8),
        "reference": text_at(header, 2),
        "sender": text_at(around, 6) or text_at(group, 2),
        "receiver": text_at(around, 8) or text_at(group, 3),
        "interchange": text_at(around, 13),
        "place": header["place"],
        "end": message.closing["place"] if message.closing else header["place"],
    }
    return {name: value for name, value in named.items() if value} | {"segments": message.segments}


def open_messages(stream: BinaryIO, options: Mapping[str, Any], skip: int = 0) -> Iterator[Document | BadRow]:
    """The transaction sets of a file; see ``edi_files.open_messages``. Knows no options."""
    return edi_files.open_messages(_DIALECT, stream, skip)


def _begin(head: bytes) -> Begun:
    """Some pad ISA with blanks beyond ASCII, which are two bytes each in UTF-8."""
    codec = "utf-8"
    try:
        text = head[:_HEAD_CHARACTERS].decode(codec)
    except UnicodeDecodeError:
        codec = "latin-1"
        text = head[:_HEAD_CHARACTERS].decode(codec)
    found = header_of(text, Deviations())
    return Begun(found.by, len(text[: found.characters].encode(codec)), found.elements or None)


_DIALECT = Dialect(ENVELOPE, _begin, sender=6, content_type="application/edi-x12", kind=1)
