"""SAP IDocs, as flat files (ports of version 3, records of fixed columns) and as XML (XML file and XML HTTP ports).

Segments are given in the order in which they stand, without their nesting: the segments of each type that a mapping
reads belong to one place only, and PSGNUM and HLEVEL are wrong or blank in many files that were not written by SAP
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.formats import xml_body
from mappings.formats.idoc_records import (
    CONTROL_COLUMNS,
    HEAD_COLUMNS,
    SEGMENT_DATA_MOST,
    columns,
    cut,
    segment_type,
)

MAX_IDOCS = 1_000
MAX_SEGMENTS = 20_000
CONTROL = "EDI_DC40"
_CONTROL = columns(CONTROL_COLUMNS)
_HEAD = columns(HEAD_COLUMNS)
_CONTROL_CHARACTERS = _CONTROL[-1].end
_HEAD_CHARACTERS = _HEAD[-1].end
_RECORD_CHARACTERS = _HEAD_CHARACTERS + SEGMENT_DATA_MOST
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


def read(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """The IDocs of a body: ``{idocs: [{place, control: {MESTYP, ...}, segments: [{name, place, ...}]}]}``.

    A segment has ``fields`` (XML) or ``data`` (flat, to be cut by its columns). Fields that are blank are left out.
    Raises MappingError with the line and the segment where the body is no IDoc.
    """
    noted = deviations if deviations is not None else Deviations()
    if body.lstrip(_MARKS)[:1] == b"<":
        return {"idocs": _of_xml(xml_body.read(body))}
    return {"idocs": [idoc.plain() for idoc in _of_text(_decoded(body, noted), noted)]}


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def idoc_elements(root: etree._Element) -> list[etree._Element]:
    """``ORDERS05`` holds one ``IDOC`` or several; some senders send an ``IDOC`` alone."""
    if local_name(root) == "IDOC":
        return [root]
    return [child for child in root if isinstance(child.tag, str) and local_name(child) == "IDOC"]


def _of_xml(root: etree._Element) -> list[dict[str, Any]]:
    idocs = idoc_elements(root)
    if not idocs:
        told = f"the document is a {local_name(root)[:80]} without an element IDOC; send an IDoc as XML, or flat."
        raise MappingError("document_unknown", told, f"line {root.sourceline}")
    if len(idocs) > MAX_IDOCS:
        raise MappingError("too_many_idocs", f"the document holds more than {MAX_IDOCS:,} IDocs; send it in parts.")
    return [_xml_idoc(idoc) for idoc in idocs]


def _xml_idoc(idoc: etree._Element) -> dict[str, Any]:
    """Every element is visited once, in the order of the document; the reader bounds how deep they nest."""
    control: dict[str, str] | None = None
    segments: list[dict[str, Any]] = []
    waiting = list(reversed(idoc))
    while waiting:
        element = waiting.pop()
        name = local_name(element)
        place = f"line {element.sourceline}, segment {len(segments) + 1} ({name[:40]})"
        fields, inner = _xml_fields(element, place)
        waiting.extend(reversed(inner))
        if name == CONTROL:
            control = fields
            continue
        if len(segments) == MAX_SEGMENTS:
            raise _too_many(place)
        segments.append({"name": segment_type(name), "place": place, "fields": fields})
    place = f"line {idoc.sourceline}, IDOC"
    if control is None:
        raise MappingError("control_missing", f"the IDoc has no control record {CONTROL}; send it whole.", place)
    return {"place": place, "control": control, "segments": segments}


def _xml_fields(segment: etree._Element, place: str) -> tuple[dict[str, str], list[etree._Element]]:
    """The segment's fields that are not blank, and the segments within it."""
    found: dict[str, str] = {}
    inner: list[etree._Element] = []
    for child in segment:
        tag = child.tag
        if len(child) or child.get("SEGMENT") is not None:
            inner.append(child)
            continue
        name = tag.rpartition("}")[2] if tag[0] == "{" else tag
        if name in found:
            raise MappingError(
                "field_twice", f"the field {name[:40]} stands twice in one segment; send it once.", place
            )
        if text := (child.text or "").strip():
            found[name] = text
    return found, inner


def _decoded(body: bytes, deviations: Deviations) -> str:
    """UTF-8, or Latin-1 as SAP systems without Unicode write it (code page 1100)."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise MappingError("encoding_wrong", "the IDoc is in UTF-16; write it in UTF-8 or Latin-1.", "line 1")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        deviations.allow("encoding_assumed", "the IDoc is not in UTF-8 and was read as Latin-1", f"line {line}")
        return body.decode("latin-1")


@dataclass
class _Flat:
    """One IDoc of a flat file as far as it was read; ``last`` is the number of its last segment."""

    place: str
    control: dict[str, str]
    segments: list[dict[str, Any]] = field(default_factory=list)
    last: int = 0

    def plain(self) -> dict[str, Any]:
        return {"place": self.place, "control": self.control, "segments": self.segments}


def _of_text(text: str, deviations: Deviations) -> Iterator[_Flat]:
    idoc: _Flat | None = None
    count, shortest = 0, _RECORD_CHARACTERS
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        record = line.rstrip(" \r\x1a")
        if not record:
            continue
        if number == len(lines):
            _check_end(line, shortest, number, deviations)
        if record.startswith("EDI_DC"):
            count += 1
            if idoc is not None:
                yield idoc
            idoc = _control(record, number, count)
        elif idoc is None:
            told = f"the IDoc begins with {record[:10]!r}; its first record is the control record {CONTROL}."
            raise MappingError("control_missing", told, f"line {number}")
        else:
            shortest = min(shortest, len(line.rstrip("\r")))
            _add_segment(idoc, record, number, deviations)
    if idoc is None:
        raise MappingError("control_missing", f"the body is empty; an IDoc begins with {CONTROL}.", "line 1")
    yield idoc


def _check_end(line: str, shortest: int, number: int, deviations: Deviations) -> None:
    """A record without a line end may be cut off, inside a number too; it is, where all others have their full
    length."""
    if number > 2 and len(line) < shortest == _RECORD_CHARACTERS:
        told = f"the last record has {len(line)} characters, all others {_RECORD_CHARACTERS}"
        raise MappingError("record_cut", f"{told}; it was cut off, so send the IDoc whole.", f"line {number}")
    deviations.allow("line_end_missing", "the last record has no line end, and may be cut off", f"line {number}")


def _control(record: str, number: int, count: int) -> _Flat:
    place = f"line {number}, {CONTROL}"
    fields = cut(record, _CONTROL)
    if fields.get("TABNAM") != CONTROL:
        told = f"the control record is {record[:10].strip()!r}; let the port write records of version 3 ({CONTROL})."
        raise MappingError("control_unknown", told, f"line {number}")
    if len(record) > _CONTROL_CHARACTERS:
        told = f"the control record has {len(record)} characters, and {_CONTROL_CHARACTERS} at most"
        raise MappingError("record_too_long", f"{told}; is a line end missing?", place)
    if count > MAX_IDOCS:
        raise MappingError("too_many_idocs", f"the body holds more than {MAX_IDOCS:,} IDocs; send it in parts.", place)
    return _Flat(place, fields)


def _add_segment(idoc: _Flat, record: str, number: int, deviations: Deviations) -> None:
    head = cut(record, _HEAD)
    name = head.get("SEGNAM", "")
    place = f"line {number}, segment {head.get('SEGNUM', '?')} ({name})"
    if not name or record[0] == " ":
        told = "the record does not begin with its segment's name; is it shifted?"
        raise MappingError("segment_unnamed", told, f"line {number}")
    if len(record) > _RECORD_CHARACTERS:
        told = f"the record has {len(record)} characters, and {_RECORD_CHARACTERS:,} at most"
        raise MappingError("record_too_long", f"{told}; is a line end missing?", place)
    if len(idoc.segments) == MAX_SEGMENTS:
        raise _too_many(place)
    _check_belonging(idoc, head, place, deviations)
    idoc.segments.append({"name": segment_type(name), "place": place, "data": record[_HEAD_CHARACTERS:]})


def _check_belonging(idoc: _Flat, head: dict[str, str], place: str, deviations: Deviations) -> None:
    """A segment of another IDoc would be booked with this one; one that is missing may have held goods."""
    document, own = head.get("DOCNUM", ""), idoc.control.get("DOCNUM", "")
    if document and own and document.lstrip("0") != own.lstrip("0"):
        told = f"the segment is of IDoc {document}, the control record of {own}; was a control record lost?"
        raise MappingError("idoc_mixed", told, place)
    number = head.get("SEGNUM", "")
    if not number.isascii() or not number.isdigit():
        deviations.allow("segment_unnumbered", "a segment has no number of its own", place)
        return
    if int(number) != idoc.last + 1:
        deviations.allow("segment_order", f"segment {int(number)} follows segment {idoc.last}", place)
    idoc.last = int(number)


def _too_many(place: str) -> MappingError:
    return MappingError(
        "too_many_segments", f"the IDoc has more than {MAX_SEGMENTS:,} segments; send it in parts.", place
    )
