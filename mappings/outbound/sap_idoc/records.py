"""An IDoc as text: flat, in the columns of its segments, or as XML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from mappings.context import CORRECT_IT, MappingError
from mappings.formats.idoc_records import (
    CONTROL_COLUMNS,
    HEAD_COLUMNS,
    Column,
    columns,
    segment_columns,
)

_CONTROL = columns(CONTROL_COLUMNS)
_HEAD = columns(HEAD_COLUMNS)


@dataclass(frozen=True)
class Written:
    """A segment with its fields, and how deep it stands; the control record is at level 0."""

    name: str
    level: int
    fields: Mapping[str, str]


def document_number(key: str) -> str:
    """16 digits that are the same for the same posting, whenever it is written."""
    return f"{int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], 'big') % 10**16:016d}"


def flat(control: Mapping[str, str], segments: Sequence[Written], names: Mapping[str, str]) -> str:
    """Records in their full length. ``names`` gives the segments that go by another name than ``E2...`` of their first
    release. Raises MappingError ``field_too_long`` where a value does not fit its column."""
    lines = [_laid_out(_CONTROL, control, "EDI_DC40")]
    for number, (segment, parent) in enumerate(_with_parents(segments), start=1):
        head = {
            "SEGNAM": names.get(segment.name) or segment.name.replace("E1", "E2", 1),
            "MANDT": control.get("MANDT", ""),
            "DOCNUM": control["DOCNUM"],
            "SEGNUM": f"{number:06d}",
            "PSGNUM": f"{parent:06d}",
            "HLEVEL": f"{segment.level:02d}",
        }
        data = _laid_out(segment_columns(segment.name), segment.fields, segment.name)
        lines.append(_laid_out(_HEAD, head, segment.name) + data)
    return "".join(f"{line}\n" for line in lines)


def xml(basic_type: str, control: Mapping[str, str], segments: Sequence[Written]) -> str:
    """One document. Raises MappingError ``field_too_long`` as ``flat`` does: SAP would cut the value off."""
    _laid_out(_CONTROL, control, "EDI_DC40")
    root = etree.Element(basic_type)
    idoc = etree.SubElement(root, "IDOC", BEGIN="1")
    _add(idoc, "EDI_DC40", control)
    open_elements = [idoc]
    for segment in segments:
        _laid_out(segment_columns(segment.name), segment.fields, segment.name)
        del open_elements[segment.level :]
        open_elements.append(_add(open_elements[-1], segment.name, segment.fields))
    etree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _add(parent: etree._Element, name: str, fields: Mapping[str, str]) -> etree._Element:
    element = etree.SubElement(parent, name, SEGMENT="1")
    for field, value in fields.items():
        etree.SubElement(element, field).text = value
    return element


def _with_parents(segments: Sequence[Written]) -> Iterator[tuple[Written, int]]:
    """Each segment with the number of the one that it belongs to."""
    open_numbers = [0]
    for number, segment in enumerate(segments, start=1):
        del open_numbers[segment.level :]
        yield segment, open_numbers[-1]
        open_numbers.append(number)


def _laid_out(among: Sequence[Column], values: Mapping[str, str], segment: str) -> str:
    text = ""
    for column in among:
        value, width = values.get(column.name, ""), column.end - column.start
        if len(value) > width:
            told = f"{value[:40]!r} does not fit into {segment} {column.name}, which has {width} characters"
            raise MappingError("field_too_long", f"{told}. {CORRECT_IT}", column.name)
        text += value.ljust(width)
    return text
