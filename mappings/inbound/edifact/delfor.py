"""``edifact.DELFOR``: what a customer will need of each item, and how sure that is.

SCC opens a run of quantities: 1 is firm, 2 and 3 are commitments to make and to buy material (planned), 4 is a
forecast. A quantity to be delivered (QTY 113 or 1, 21) is due at the DTM behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, messages_of
from mappings.inbound.edi.values import quantity
from mappings.inbound.edifact.parts import (
    LineItem,
    check_line_count,
    document_number,
    instant,
    item,
    needed_instant,
    split_lines,
)
from mappings.inbound.payload import present, wrong

_FIRMNESS = {"1": "firm", "2": "planned", "3": "planned", "4": "forecast", "10": "firm"}
_DUE = ("2", "10", "64", "63", "69", "76", "158", "159")
_TO_DELIVER = ("113", "1", "21")
_REPLACEMENT = "5"


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [event for message in messages_of(payload, "DELFOR", "message") for event in _signals(message, context)]


def _signals(message: EdiMessage, context: InboundContext) -> list[Event]:
    document_number(message, allowed=(_REPLACEMENT,))
    head, lines = split_lines(message)
    check_line_count(message, lines, context)
    when = needed_instant(message, context, "137")
    horizon = present(start=instant(head, context, "158"), end=instant(head, context, "159"))
    return [Event("supply.signalled.v1", _signal(message, line, when, horizon, context)) for line in lines]


def _signal(
    message: EdiMessage, line: LineItem, when: str, horizon: dict[str, str], context: InboundContext
) -> dict[str, Any]:
    schedule = list(_schedule(message, line, context))
    if not schedule:
        told = f"{line.place} schedules nothing: it has no QTY 113 with a DTM"
        raise wrong("quantity_missing", told, line.place)
    firmness = {each["firmness"] for each in schedule}
    return present(
        event_time=when,
        location={"site": context.plant.code},
        item=item(line, context),
        schedule=schedule,
        horizon=horizon,
        firmness=firmness.pop() if len(firmness) == 1 else "planned",
    )


def _schedule(message: EdiMessage, line: LineItem, context: InboundContext) -> Iterator[dict[str, Any]]:
    firmness, amount = "planned", None
    dated: list[Segment] = []
    for segment in [*line.segments, None]:
        if segment is not None and segment.tag == "DTM":
            dated.append(segment)
            continue
        if segment is None or segment.tag in ("QTY", "SCC"):
            if amount is not None:
                yield _due(message, amount, dated, firmness, context)
            amount, dated = None, []
        if segment is not None and segment.tag == "SCC":
            firmness = _FIRMNESS.get(segment.at(1), "planned")
        elif segment is not None and segment.tag == "QTY" and segment.at(1, 1) in _TO_DELIVER:
            amount = segment


def _due(
    message: EdiMessage, amount: Segment, dated: Sequence[Segment], firmness: str, context: InboundContext
) -> dict[str, Any]:
    due = instant(dated, context, *_DUE)
    if due is None:
        told = f"{amount.place} is due at no date: no DTM with {', '.join(_DUE)} follows it"
        raise wrong("time_missing", told, amount.place)
    wire = quantity(amount.at(1, 2), amount.at(1, 3), message, context, amount.place, "not_negative")
    return {"due": due, "quantity": wire, "firmness": firmness}
