"""The times of an event: an instant, the offset of the place, and when it was recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mappings.context import InboundContext
from mappings.formats.epcis import RawEvent
from mappings.inbound.payload import present
from mappings.inbound.plant_time import from_iso

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)([Tt ])(\d\d:\d\d)(:\d\d)?(?:([.,])(\d{1,18}))? ?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)?", re.ASCII)
_FRACTION_DIGITS = 9


def event_times(raw: RawEvent, fields: Mapping[str, Any], context: InboundContext) -> dict[str, str]:
    """``event_time`` and, where it is told and can be read, ``record_time``, in UTC.

    An eventTime without an offset is read with eventTimeZoneOffset; without both it is in the plant's zone. Each is a
    deviation, as is an offset that disagrees with eventTimeZoneOffset: the instant is eventTime's own.
    """
    offset = _zone_offset(raw, fields.get("offset"), context)
    text, own = _normal(fields["event_time"], raw.at("eventTime"), context)
    if own is None:
        context.deviations.allow("offset_missing", "eventTime has no offset", raw.at("eventTime"))
        text += offset or ""
    elif own != "Z" and offset is not None and own != offset:
        told = f"eventTime is at {own}, and eventTimeZoneOffset says {offset}"
        context.deviations.allow("offset_disagrees", told, raw.at("eventTimeZoneOffset"))
    event_time = from_iso(text, context.plant, raw.at("eventTime"))
    return {"event_time": event_time} | present(record_time=_record_time(raw, fields, event_time, context))


def declaration_time(raw: RawEvent, text: str, context: InboundContext) -> str:
    place = raw.at("errorDeclaration.declarationTime")
    return from_iso(_normal(text, place, context)[0], context.plant, place)


def _zone_offset(raw: RawEvent, text: str | None, context: InboundContext) -> str | None:
    place = raw.at("eventTimeZoneOffset")
    if text is None:
        context.deviations.allow("offset_missing", "the event has no eventTimeZoneOffset", place)
        return None
    offset = _offset(text)
    if offset != text:
        context.deviations.allow(
            "offset_form", f"eventTimeZoneOffset is {text[:20]!r}, which is not like +02:00", place
        )
    return offset


def _record_time(raw: RawEvent, fields: Mapping[str, Any], event_time: str, context: InboundContext) -> str | None:
    """What an EPCIS repository adds; nothing is decided by it."""
    text, place = fields.get("record_time"), raw.at("recordTime")
    if text is None:
        return None
    if not _FORM.fullmatch(text):
        context.deviations.allow("record_time_form", f"recordTime is {text[:40]!r}, which is no time", place)
        return None
    recorded = from_iso(_normal(text, place, context)[0], context.plant, place)
    if recorded.rstrip("Z") < event_time.rstrip("Z"):
        context.deviations.allow("recorded_before", "recordTime lies before eventTime", place)
    return recorded


def _normal(text: str, place: str, context: InboundContext) -> tuple[str, str | None]:
    """The time in the form that ``plant_time`` reads, and its offset; any other text as it is, for it to refuse."""
    found = _FORM.fullmatch(text)
    if found is None:
        return text, "Z"
    day, _, minute, second, _, fraction, zone = found.groups()
    offset = _offset(zone)
    normal = (
        f"{day}T{minute}{second or ':00'}" + (f".{fraction[:_FRACTION_DIGITS]}" if fraction else "") + (offset or "")
    )
    if normal != text:
        context.deviations.allow("time_form", f"{text[:40]!r} is not written as RFC 3339 has it", place)
    return normal, offset


def _offset(text: str | None) -> str | None:
    if text in ("Z", "z"):
        return "Z"
    found = _OFFSET.fullmatch(text or "")
    return f"{found[1]}{found[2]}:{found[3] or '00'}" if found else None
