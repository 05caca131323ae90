"""The segments of an IDoc and how SAP writes numbers, codes and times in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import BoundedList, Code, Sign
from mappings.canonical.parts import Part
from mappings.context import InboundContext, MappingError
from mappings.formats.idoc import MAX_IDOCS, MAX_SEGMENTS
from mappings.formats.idoc_records import Columns, cut, knows, placed, segment_columns, without_release
from mappings.inbound.payload import Payload, amount, canonical_unit, load, wrong
from mappings.inbound.plant_time import from_pattern

_NUMBER = re.compile(r"([+-]?)([0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(-?)", re.ASCII)
_INITIAL_DAY = "00000000"
_END_OF_DAY = "240000"


class IdocPayload(Payload):
    place = Code(required=True, max_length=200)
    control = fields.Dict(keys=Code(), values=fields.String(), required=True)
    segments = BoundedList(fields.Raw(), high=MAX_SEGMENTS, required=True)


class Body(Payload):
    idocs = BoundedList(Part(IdocPayload), low=1, high=MAX_IDOCS, required=True)


_SCHEMA = Body()


@dataclass(frozen=True)
class Segment:
    """``place`` names line and segment; a place within it ends with the field's name."""

    name: str
    place: str
    fields: Mapping[str, Any]

    def at(self, field: str) -> str:
        return f"{self.place} {field}"

    def get(self, field: str) -> str:
        """Empty where the field is blank or missing."""
        value = self.fields.get(field, "")
        if type(value) is not str:
            raise wrong("payload_invalid", f"{self.at(field)} must be text", self.at(field))
        return value

    def needed(self, field: str) -> str:
        if not (value := self.get(field)):
            raise wrong("payload_invalid", f"{self.at(field)} is empty", self.at(field))
        return value

    def number(self, field: str) -> Decimal:
        """``12.500-`` as -12.5; zero where it is empty. A comma could stand before decimals or before thousands."""
        text = self.get(field)
        if not text:
            return Decimal(0)
        found = _NUMBER.fullmatch(text)
        if found is None or (found[1] and found[3]):
            reason = f"{self.at(field)} is {text[:40]!r}; SAP writes 12.500, or 12.500- below zero"
            raise wrong("quantity_invalid", reason, self.at(field))
        number = Decimal(found[2])
        return -number if "-" in (found[1], found[3]) else number


@dataclass(frozen=True)
class Idoc:
    """``control`` is the control record as a segment of its own."""

    control: Segment
    segments: Sequence[Segment]

    def first(self, name: str) -> Segment | None:
        return next((segment for segment in self.segments if segment.name == name), None)

    def only(self, name: str) -> Segment:
        """The segment of this type; raises MappingError where there is none, or several."""
        found = [segment for segment in self.segments if segment.name == name]
        if len(found) == 1:
            return found[0]
        reason = f"the IDoc has {len(found)} segments {name}, and one is needed"
        raise wrong("segment_missing", reason, found[1].place if found else self.control.place)


def idocs(payload: Any, message: Sequence[str], context: InboundContext) -> Iterator[Idoc]:
    """The IDocs of a body, each of one of these message types (MESTYP)."""
    for found in load(_SCHEMA, payload)["idocs"]:
        control = Segment("EDI_DC40", found["place"], found["control"])
        if control.get("MESTYP") not in message:
            told = (
                f"the IDoc is a {control.get('MESTYP')[:30] or 'message without MESTYP'} {control.get('IDOCTYP')[:30]}"
            )
            mend = f"this type takes {' or '.join(message)}. Send it under the type that fits, or discard it."
            raise MappingError("idoc_type_unsupported", f"{told.strip()}; {mend}", control.at("MESTYP"))
        yield Idoc(control, [_segment(entry, found["place"], context) for entry in found["segments"]])


def _segment(entry: Any, place: str, context: InboundContext) -> Segment:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not isinstance(entry.get("place"), str):
        raise wrong("payload_invalid", f"a segment of the IDoc at {place} must have a name and a place", place)
    name, place = _own_type(entry["name"][:80], context), entry["place"][:200] or place
    if isinstance(entry.get("data"), str):
        return Segment(name, place, cut(entry["data"], _columns(name, place, context)))
    found = entry.get("fields")
    if not isinstance(found, dict):
        raise wrong("payload_invalid", f"{place} must have data or fields", place)
    return Segment(name, place, found)


def _own_type(name: str, context: InboundContext) -> str:
    """What segments of the source's own are called is known from its layout alone: ``Z1LOT000`` is a ``Z1LOT``."""
    own = context.options.get("segments", {})
    return released if name not in own and (released := without_release(name)) in own else name


def _columns(name: str, place: str, context: InboundContext) -> Columns:
    """The source's own columns go before the known ones. What would be used and cannot be read is noted."""
    own = context.options.get("segments", {}).get(name)
    if own is not None:
        return placed(own if type(own) is tuple else tuple((field, width) for field, width in own))
    found = segment_columns(name)
    if not found and knows(name):
        told = f"the columns of segment {name} are not known, so it was passed over; give them in a layout file"
        context.deviations.allow("segment_layout_missing", told, place)
    return found


def unpadded(code: str) -> str:
    """Numbers are padded with zeros to their field's width; codes with letters are not."""
    return code.lstrip("0") or "0" if code.isascii() and code.isdigit() else code


def material(segment: Segment, field: str = "MATNR") -> str:
    """A number of up to 40 characters stands in a field of its own, since S/4HANA."""
    return unpadded(segment.get(f"{field}_LONG") or segment.needed(field))


def quantity(
    segment: Segment, field: str, units: Sequence[str], context: InboundContext, sign: Sign = "positive"
) -> dict[str, str]:
    """The number with its unit, which stands in one of several fields."""
    return amount(segment.number(field), unit(segment, units, context), context, segment.at(field), sign)


def unit(segment: Segment, names: Sequence[str], context: InboundContext) -> str:
    """The unit's code by the first of these fields that the source has a translation for, else that is there."""
    given = [code for code in map(segment.get, names) if code]
    if not given:
        segment.needed(names[0])
    return next((code for code in given if code in context.units), given[0])


def translated(segment: Segment, field: str, context: InboundContext) -> str:
    return canonical_unit(segment.needed(field), context, segment.at(field))


def moment(segment: Segment, day: str, time: str, context: InboundContext) -> str | None:
    """A day, with its time where there is one, by the plant's clock; None for an empty or initial day."""
    on, at = segment.get(day), segment.get(time) or "000000"
    if not on or on == _INITIAL_DAY:
        return None
    if at == _END_OF_DAY:
        on, at = _next_day(on), "000000"
    return from_pattern(on + at, "%Y%m%d%H%M%S", "20260131140500", context.plant, segment.at(day))


def _next_day(on: str) -> str:
    try:
        return (datetime.strptime(on, "%Y%m%d") + timedelta(days=1)).strftime("%Y%m%d")  # noqa: DTZ007
    except (ValueError, OverflowError):
        return on


def written_at(idoc: Idoc, context: InboundContext) -> str:
    """When SAP wrote the IDoc, which orders the IDocs of one thing, whatever days stand in them."""
    written = moment(idoc.control, "CREDAT", "CRETIM", context)
    if written is None:
        raise wrong("time_missing", f"{idoc.control.at('CREDAT')} is empty", idoc.control.at("CREDAT"))
    return written


def check_plant(segment: Segment, field: str, context: InboundContext) -> None:
    """Stock of another plant must not be booked here."""
    named = segment.get(field)
    if named and site(named, context) != context.plant.code:
        told = f"{segment.at(field)} is {named[:20]}, and this message came for plant {context.plant.code}"
        mend = "name the plant's number in SAP as its option `site`, or in the source's option `plants`, then requeue."
        raise MappingError("plant_wrong", f"{told}; {mend}", segment.at(field))


def site(named: str, context: InboundContext) -> str:
    """The plant that SAP calls so: by the source's option ``plants``, else by the plant's own ``site``."""
    known = context.options.get("plants", {})
    if named in known:
        return str(known[named])
    return context.plant.code if named == context.plant.options.get("site") else named
