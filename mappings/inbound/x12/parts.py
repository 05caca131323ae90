"""What X12 transaction sets share: dates, parties, item codes in pairs, and groups of segments.

Codes are those of X12 004010: elements 235 (product id), 353 (purpose), 374 (dates), 98 (parties), 128 (references).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, matching
from mappings.inbound.edi.values import ItemCode, check_count, instant_with_zone, item_of, local_instant
from mappings.inbound.payload import present, wrong

ITEM_CODES = ("BP", "IN", "PI", "CB", "SK", "EN", "UK", "UP", "UA", "VN", "VP", "VC", "VA", "MG", "MN", "IB")
_LOTS, _SERIALS = ("LT", "B8"), ("SN",)
# Element 623: time codes that are one offset for sure. The others are told by the plant's clock.
_UTC = frozenset({"UT", "GM"})
ORIGINAL = ("00",)
ORIGINAL_OR_REPLACEMENT = ("00", "05")
_PURPOSES = {
    "01": "a cancellation",
    "02": "an addition",
    "03": "a deletion",
    "04": "a change",
    "05": "a replacement",
    "07": "a duplicate",
}


def begin(message: EdiMessage, tag: str, purpose: int | None, allowed: Sequence[str] = ORIGINAL) -> Segment:
    """The set's beginning segment. Raises MappingError where its purpose (353) makes it none of its own."""
    head = message.needed(tag)
    code = head.at(purpose) if purpose else ""
    if code in _PURPOSES and code not in allowed:
        told = f"{tag} says that this {message.kind} is {_PURPOSES[code]} (353 is {code}), and only new ones are taken"
        raise wrong("function_unsupported", told, head.place)
    return head


def needed(segment: Segment, element: int, what: str) -> str:
    """An element that has to be there; raises MappingError with its name (``BEG03``)."""
    found = segment.at(element)
    if not found:
        told = f"{segment.place} lacks {segment.tag}{element:02d}, {what}"
        raise wrong("segment_invalid", told, segment.place)
    return found


def instant_at(segment: Segment, date: int, context: InboundContext, time: int | None = None) -> str | None:
    """The instant of a date element and, where there is one, its time element; None where there is no date."""
    day = segment.at(date)
    hours = segment.at(time) if time else ""
    if not day:
        return None
    if hours and len(hours) in (4, 6, 7, 8) and hours.isdigit():
        day += hours[:6] if len(hours) >= 6 else hours
    elif hours:
        raise wrong("time_invalid", f"{segment.place} has the time {hours[:10]!r}, which is no HHMM", segment.place)
    return local_instant(day, context, segment.place)


def dated(segments: Sequence[Segment], context: InboundContext, *qualifiers: str) -> str | None:
    """The first of these dates (DTM) that is there, in the order of ``qualifiers``."""
    found = first_of([one for one in matching(segments, "DTM") if one.at(2)], "DTM", *qualifiers)
    if found is not None and found.at(4) in _UTC and found.at(3):
        return instant_with_zone(f"{found.at(2)}{found.at(3)[:6]}UTC", context, found.place)
    return instant_at(found, 2, context, 3) if found else None


def needed_instant(found: str | None, segment: Segment) -> str:
    if found is None:
        raise wrong("time_missing", f"{segment.place} has no date, and no DTM has one", segment.place)
    return found


def party(segments: Sequence[Segment], *qualifiers: str) -> str | None:
    """The code of the first such party (N104); None where it is told by its name only."""
    found = first_of(segments, "N1", *qualifiers)
    return (found.at(4) or None) if found else None


def codes_of(segment: Segment, first: int) -> list[ItemCode]:
    """The pairs of qualifier and code from element ``first`` on."""
    return [
        ItemCode(segment.at(at), segment.at(at + 1))
        for at in range(first, len(segment.elements), 2)
        if segment.at(at) and segment.at(at + 1)
    ]


def item(codes: Sequence[ItemCode], context: InboundContext, place: str) -> str:
    return item_of(codes, ITEM_CODES, context, place)


def lot_and_serials(codes: Sequence[ItemCode], segments: Sequence[Segment], place: str) -> dict[str, Any]:
    """Raises MappingError where there are several lots: nobody says how much is of which."""
    more = [ItemCode(one.at(1), one.at(2)) for one in matching(segments, "REF") if one.at(2)]
    both = [*codes, *(ItemCode("SN" if one.qualifier == "SE" else one.qualifier, one.code) for one in more)]
    lots = {one.code for one in both if one.qualifier in _LOTS}
    if len(lots) > 1:
        told = f"{place} has {len(lots)} lots, and one quantity for them all; have it sent a line a lot"
        raise wrong("lot_ambiguous", told, place)
    serials = [one.code for one in both if one.qualifier in _SERIALS]
    return present(lot=next(iter(lots), None), serials=list(dict.fromkeys(serials)))


def groups(segments: Sequence[Segment], tag: str) -> tuple[list[Segment], list[list[Segment]]]:
    """What stands before the first segment of this tag, and each of them with what follows it, up to the summary."""
    end = next((at for at, one in enumerate(segments) if one.tag == "CTT"), len(segments))
    starts = [at for at in range(end) if segments[at].tag == tag]
    ends = [*starts[1:], end] if starts else []
    head = list(segments[: starts[0] if starts else end])
    return head, [list(segments[start:stop]) for start, stop in zip(starts, ends, strict=True)]


def needed_groups(message: EdiMessage, tag: str) -> tuple[list[Segment], list[list[Segment]]]:
    head, found = groups(message.segments, tag)
    if not found:
        raise wrong("segment_missing", f"the {message.kind} of {message.place} has no {tag}", message.place)
    return head, found


def check_total(message: EdiMessage, context: InboundContext, what: str, *right: int) -> None:
    """CTT01 counts the set's lines; where guides differ about what it counts, any of ``right`` will do."""
    total = message.first("CTT")
    if total is not None:
        check_count(total.at(1), set(right), context, total, what)
