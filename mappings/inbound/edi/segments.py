"""The messages that an EDI reader gives, checked once, and walked by the mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from marshmallow import ValidationError, fields

from mappings.canonical.fields import ERROR_TEXTS, Code
from mappings.canonical.parts import parts
from mappings.context import MappingError
from mappings.formats.edi_segments import MAX_SEGMENTS
from mappings.inbound.payload import Payload, load, wrong


class Segment(NamedTuple):
    """``place`` says where it stands in the body. Elements and components count from 1, as in their standards."""

    tag: str
    place: str
    elements: Sequence[Any]

    def at(self, element: int, component: int = 1) -> str:
        """The text there without blanks at its ends; empty where there is none."""
        elements = self.elements
        found = elements[element - 1] if element <= len(elements) else ""
        if type(found) is str:
            return found.strip() if component == 1 else ""
        return str(found[component - 1]).strip() if component <= len(found) else ""


@dataclass(frozen=True)
class EdiMessage:
    """One EDIFACT message or X12 transaction set. ``decimal``: the decimal mark that its body names, if any."""

    kind: str
    place: str
    decimal: str
    segments: Sequence[Segment]

    def all(self, tag: str, qualifier: str | None = None) -> Iterator[Segment]:
        return matching(self.segments, tag, qualifier)

    def first(self, tag: str, *qualifiers: str) -> Segment | None:
        return first_of(self.segments, tag, *qualifiers)

    def needed(self, tag: str) -> Segment:
        """Its first segment of this tag; raises MappingError where there is none."""
        found = self.first(tag)
        if found is None:
            raise wrong("segment_missing", f"the {self.kind} of {self.place} has no {tag}", self.place)
        return found


def matching(segments: Sequence[Segment], tag: str, qualifier: str | None = None) -> Iterator[Segment]:
    """Segments of a tag, and where it is given, of a qualifier in their first element."""
    return (one for one in segments if one.tag == tag and (qualifier is None or one.at(1) == qualifier))


def first_of(segments: Sequence[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """The first of a tag by its qualifiers, the first qualifier before the second; any where none are given."""
    if not qualifiers:
        return next(matching(segments, tag), None)
    return next((one for qualifier in qualifiers for one in matching(segments, tag, qualifier)), None)


class SegmentList(fields.Field[list[Segment]]):
    """Segments as the reader gives them. A message has thousands, so they are checked in one pass."""

    default_error_messages = ERROR_TEXTS

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> list[Segment]:
        if not isinstance(value, list) or len(value) > MAX_SEGMENTS:
            raise ValidationError(f"must be a list of at most {MAX_SEGMENTS} segments")
        return [_segment(one, number) for number, one in enumerate(value, 1)]


def _segment(value: Any, number: int) -> Segment:
    if isinstance(value, dict):
        tag, place, elements = value.get("tag"), value.get("place"), value.get("elements")
        if type(tag) is str and type(place) is str and type(elements) is list and _are_elements(elements):
            return Segment(tag, place, elements)
    raise ValidationError(f"has no tag, place and elements of texts in its member {number}")


def _are_elements(elements: list[Any]) -> bool:
    for element in elements:
        if type(element) is str:
            continue
        if type(element) is not list:
            return False
        for component in element:
            if type(component) is not str:
                return False
    return True


class Message(Payload):
    kind = Code(max_length=200, required=True)
    place = Code(max_length=200, required=True)
    segments = SegmentList(required=True)


class Interchange(Payload):
    decimal = fields.String(load_default="")
    messages = parts(Message, low=1, required=True)


_SCHEMA = Interchange()


def messages_of(payload: Any, kind: str, what: str) -> list[EdiMessage]:
    """The payload's messages; raises MappingError ``document_unknown`` where one is of another kind."""
    interchange = load(_SCHEMA, payload)
    found = []
    for message in interchange["messages"]:
        if message["kind"] != kind:
            told = f"the {what} of {message['place']} is {_named(message['kind'])}; this type takes {_named(kind)}."
            mend = "Have it sent under its own type, or discard it."
            raise MappingError("document_unknown", f"{told} {mend}", message["place"])
        found.append(EdiMessage(kind, message["place"], interchange["decimal"], message["segments"]))
    return found


# UN/EDIFACT D.96A and X12 004010 names of what partners of a manufacturer send.
_NAMES = {
    "ORDERS": "purchase order",
    "ORDCHG": "purchase order change",
    "ORDRSP": "purchase order response",
    "DESADV": "despatch advice",
    "RECADV": "receiving advice",
    "INVRPT": "inventory report",
    "DELFOR": "delivery schedule",
    "DELJIT": "just-in-time delivery",
    "INVOIC": "invoice",
    "IFCSUM": "forwarding and consolidation summary",
    "IFTMIN": "transport instruction",
    "IFTSTA": "transport status",
    "QUOTES": "quote",
    "APERAK": "application acknowledgement",
    "CONTRL": "syntax and service report",
    "204": "motor carrier load tender",
    "214": "transportation carrier shipment status",
    "810": "invoice",
    "820": "payment order",
    "830": "planning schedule",
    "846": "inventory inquiry or advice",
    "850": "purchase order",
    "855": "purchase order acknowledgment",
    "856": "ship notice",
    "860": "purchase order change",
    "861": "receiving advice",
    "862": "shipping schedule",
    "990": "response to a load tender",
    "997": "functional acknowledgment",
}


def _named(kind: str) -> str:
    return f"{kind[:40]} ({_NAMES[kind]})" if kind in _NAMES else kind[:40]
