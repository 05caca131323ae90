"""``x12.846``: what lies in stock where, counted line by line.

QTY's 17 (quantity on hand) goes before 33 (quantity available). Where stock lies is N1's code (WH, SF, or LC), the
line's before the advice's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, matching, messages_of
from mappings.inbound.edi.values import quantity
from mappings.inbound.payload import present, storage_code, wrong
from mappings.inbound.x12.parts import (
    ORIGINAL_OR_REPLACEMENT,
    begin,
    check_total,
    codes_of,
    dated,
    instant_at,
    item,
    lot_and_serials,
    needed_groups,
    needed_instant,
)

_COUNTED = ("17", "33")
_PLACES = ("WH", "LC", "SF")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    sets = messages_of(payload, "846", "transaction set")
    return [event for message in sets for event in _counts(message, context)]


def _counts(message: EdiMessage, context: InboundContext) -> list[Event]:
    bia = begin(message, "BIA", 1, ORIGINAL_OR_REPLACEMENT)
    head, lines = needed_groups(message, "LIN")
    check_total(message, context, "lines", len(lines))
    when = needed_instant(dated(head, context, "366", "179") or instant_at(bia, 4, context, 5), bia)
    storage = _storage(head, context)
    return [Event("inventory.counted.v1", _count(message, line, storage, when, context)) for line in lines]


def _count(
    message: EdiMessage, line: Sequence[Segment], storage: str | None, when: str, context: InboundContext
) -> dict[str, Any]:
    lin = line[0]
    codes = codes_of(lin, 2)
    return present(
        event_time=dated(line, context, "366", "179") or when,
        location={"site": context.plant.code} | present(storage=_storage(line, context) or storage),
        item=item(codes, context, lin.place),
        counted=_counted(message, line, context),
        **lot_and_serials(codes, line, lin.place),
    )


def _storage(segments: Sequence[Segment], context: InboundContext) -> str | None:
    place = first_of(segments, "N1", *_PLACES)
    return storage_code(place.at(4), context, place.place) if place else None


def _counted(message: EdiMessage, line: Sequence[Segment], context: InboundContext) -> dict[str, str]:
    for qualifier in _COUNTED:
        found = list(matching(line, "QTY", qualifier))
        if len(found) > 1:
            told = f"{line[0].place} has {len(found)} quantities of the kind {qualifier}, and one is needed"
            raise wrong("quantity_ambiguous", told, found[1].place)
        if found:
            return quantity(found[0].at(2), found[0].at(3), message, context, found[0].place, "not_negative")
    raise wrong("quantity_missing", f"{line[0].place} has no QTY with {' or '.join(_COUNTED)}", line[0].place)
