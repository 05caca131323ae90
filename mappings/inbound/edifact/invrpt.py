"""``edifact.INVRPT``: what lies in stock where, counted line by line.

QTY's 145 (actual stock) goes before 17 (quantity on hand). A report of movements (INV with a direction) counts nothing
and is refused. Where stock lies is LOC's code (14, 18 or 11), the line's before the report's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, messages_of
from mappings.inbound.edifact.parts import (
    LineItem,
    check_line_count,
    document_number,
    instant,
    item,
    line_quantity,
    lot_and_serials,
    needed_instant,
    split_lines,
)
from mappings.inbound.payload import present, storage_code, wrong

_PLACES = ("14", "18", "11")
_DIRECTIONS = ("1", "2")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [event for message in messages_of(payload, "INVRPT", "message") for event in _counts(message, context)]


def _counts(message: EdiMessage, context: InboundContext) -> list[Event]:
    document_number(message)
    head, lines = split_lines(message)
    check_line_count(message, lines, context)
    when = needed_instant(message, context, "366", "137")
    return [
        Event("inventory.counted.v1", _count(message, line, _storage(head, context), when, context)) for line in lines
    ]


def _count(
    message: EdiMessage, line: LineItem, storage: str | None, when: str, context: InboundContext
) -> dict[str, Any]:
    for segment in line.segments:
        if segment.tag == "INV" and segment.at(1) in _DIRECTIONS:
            told = f"{segment.place} reports a movement, and only stock that lies there is taken"
            raise wrong("movement_unsupported", told, segment.place)
    return present(
        event_time=instant(line.segments, context, "366") or when,
        location={"site": context.plant.code} | present(storage=_storage(line.segments, context) or storage),
        item=item(line, context),
        counted=line_quantity(message, line, context, "145", "17", sign="not_negative"),
        **lot_and_serials(line),
    )


def _storage(segments: Sequence[Segment], context: InboundContext) -> str | None:
    place = first_of(segments, "LOC", *_PLACES)
    return storage_code(place.at(2, 1), context, place.place) if place else None
