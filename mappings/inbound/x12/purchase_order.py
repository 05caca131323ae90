"""``x12.850``: a purchase order as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, matching, messages_of
from mappings.inbound.edi.values import line_names, quantity
from mappings.inbound.payload import present
from mappings.inbound.x12.parts import (
    ORIGINAL_OR_REPLACEMENT,
    begin,
    check_total,
    codes_of,
    dated,
    instant_at,
    item,
    needed,
    needed_groups,
    needed_instant,
    party,
)

_NEEDED_BY = ("002", "074", "063", "106", "067", "010", "001")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_order(message, context) for message in messages_of(payload, "850", "transaction set")]


def _order(message: EdiMessage, context: InboundContext) -> Event:
    beg = begin(message, "BEG", 1, ORIGINAL_OR_REPLACEMENT)
    head, lines = needed_groups(message, "PO1")
    check_total(message, context, "lines", len(lines))
    by_then = dated(head, context, *_NEEDED_BY)
    numbers = line_names([(line[0].at(1), line[0].place) for line in lines])
    data = present(
        event_time=needed_instant(instant_at(beg, 5, context) or dated(head, context, "004", "097"), beg),
        location={"site": context.plant.code},
        purchase_order=needed(beg, 3, "the purchase order's number"),
        buyer=party(head, "BY", "BT"),
        supplier=party(head, "SU", "SE", "VN"),
        ship_to=party(head, "ST"),
        lines=[_line(message, line, number, by_then, context) for line, number in zip(lines, numbers, strict=True)],
    )
    return Event("purchase.order.placed.v1", data)


def _line(
    message: EdiMessage, line: Sequence[Segment], number: str, by_then: str | None, context: InboundContext
) -> dict[str, Any]:
    po1 = line[0]
    amount = needed(po1, 2, "the quantity ordered")
    return present(
        line=number,
        item=item(codes_of(po1, 6), context, po1.place),
        quantity=quantity(amount, po1.at(3), message, context, po1.place),
        need_by=_scheduled(line, context) or dated(line, context, *_NEEDED_BY) or by_then,
        ship_to=party(line, "ST"),
    )


def _scheduled(line: Sequence[Segment], context: InboundContext) -> str | None:
    """The first delivery of a line that is wanted in several (SCH): by then some of it is needed."""
    due = [instant for one in matching(line, "SCH") if (instant := instant_at(one, 6, context))]
    return min(due, default=None)
