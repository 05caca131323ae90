"""``edifact.ORDERS``: a purchase order as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, messages_of
from mappings.inbound.edi.values import line_names
from mappings.inbound.edifact.parts import (
    LineItem,
    check_line_count,
    document_number,
    instant,
    item,
    line_quantity,
    needed_instant,
    party,
    split_lines,
)
from mappings.inbound.payload import present, wrong

_NEEDED_BY = ("2", "63", "69", "76", "17")
_REPLACEMENT = "5"


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_order(message, context) for message in messages_of(payload, "ORDERS", "message")]


def _order(message: EdiMessage, context: InboundContext) -> Event:
    head, lines = split_lines(message)
    check_line_count(message, lines, context)
    by_then = instant(head, context, *_NEEDED_BY)
    numbers = line_names([(line.lin.at(1), line.place) for line in lines])
    data = present(
        event_time=needed_instant(message, context, "137", "4"),
        location={"site": context.plant.code},
        purchase_order=document_number(message, allowed=(_REPLACEMENT,)),
        buyer=party(head, "BY"),
        supplier=party(head, "SU", "SE"),
        ship_to=party(head, "DP", "ST", "CN"),
        lines=[_line(message, line, number, by_then, context) for line, number in zip(lines, numbers, strict=True)],
    )
    return Event("purchase.order.placed.v1", data)


def _line(
    message: EdiMessage, line: LineItem, number: str, by_then: str | None, context: InboundContext
) -> dict[str, Any]:
    if line.lin.at(2) == "2":
        told = f"{line.place} deletes a line (1229 is 2), and only whole orders are taken"
        raise wrong("function_unsupported", told, line.place)
    return present(
        line=number,
        item=item(line, context),
        quantity=line_quantity(message, line, context, "21", "1"),
        need_by=instant(line.segments, context, *_NEEDED_BY) or by_then,
        ship_to=party(line.segments, "DP", "ST"),
    )
