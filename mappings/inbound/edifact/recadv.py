"""``edifact.RECADV``: what came in, line by line.

Received is QTY's 48, or 194 with what was not accepted beside it (195, 196, 124); accepted is 194, or what was received
without what was not accepted. QVR tells differences to what was announced, of which those of goods that were not
accepted (195, 196, 124) are rejected as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, matching, messages_of
from mappings.inbound.edi.values import number_text, quantity
from mappings.inbound.edifact.parts import (
    LineItem,
    check_line_count,
    document_number,
    find_quantity,
    item,
    lot_and_serials,
    needed_instant,
    order_ref,
    reference,
    split_lines,
)
from mappings.inbound.payload import present, wrong
from mappings.units import plain

_NOT_ACCEPTED = ("195", "196", "124")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    events = [event for message in messages_of(payload, "RECADV", "message") for event in _receipts(message, context)]
    if not events:
        raise wrong("nothing_reported", "no line has a quantity that was received", "QTY")
    return events


def _receipts(message: EdiMessage, context: InboundContext) -> list[Event]:
    document_number(message)
    head, lines = split_lines(message)
    check_line_count(message, lines, context)
    when = needed_instant(message, context, "50", "35", "137")
    receipts = [_receipt(message, line, head, when, context) for line in lines]
    return [Event("receipt.recorded.v1", data) for data in receipts if data["received"]["value"] != "0"]


def _receipt(
    message: EdiMessage, line: LineItem, head: Sequence[Segment], when: str, context: InboundContext
) -> dict[str, Any]:
    order = order_ref(line.segments, head) or _delivery(line, head)
    if order is None:
        told = f"{line.place} names no purchase order (RFF ON) and no delivery (RFF AAK, DQ)"
        raise wrong("reference_missing", told, line.place)
    return present(
        event_time=when,
        location={"site": context.plant.code},
        document_ref=order,
        item=item(line, context),
        **lot_and_serials(line),
        **_amounts(message, line, context),
    )


def _delivery(line: LineItem, head: Sequence[Segment]) -> dict[str, str] | None:
    found = reference(line.segments, "AAK", "DQ") or reference(head, "AAK", "DQ")
    return {"type": "delivery"} | found if found else None


def _amounts(message: EdiMessage, line: LineItem, context: InboundContext) -> dict[str, Any]:
    received = find_quantity(message, line, context, "48", sign="not_negative")
    accepted = find_quantity(message, line, context, "194", sign="not_negative")
    told = received or accepted
    if told is None:
        reason = f"{line.place} has no quantity (QTY) with 48 or 194"
        raise wrong("quantity_missing", reason, line.place)
    rejected = _rejected(message, line, told["uom"], context)
    good = Decimal(accepted["value"]) if accepted else Decimal(told["value"]) - rejected
    whole = Decimal(received["value"]) if received else good + rejected
    if good < 0 or good + rejected > whole or (received and accepted and received["uom"] != accepted["uom"]):
        reason = f"{line.place} received {plain(whole)}, accepted {plain(good)} and did not accept {plain(rejected)}"
        raise wrong("quantity_ambiguous", f"{reason}, which does not add up", line.place)
    amounts = {"received": whole, "accepted": good, "rejected": rejected}
    return {name: {"value": plain(value), "uom": told["uom"]} for name, value in amounts.items()}


def _rejected(message: EdiMessage, line: LineItem, uom: str, context: InboundContext) -> Decimal:
    total = Decimal(0)
    for one in matching(line.segments, "QTY"):
        if one.at(1, 1) in _NOT_ACCEPTED:
            found = quantity(one.at(1, 2), one.at(1, 3), message, context, one.place, "not_negative")
            if found["uom"] != uom:
                raise wrong("quantity_ambiguous", f"{one.place} counts in another unit than its line", one.place)
            total += Decimal(found["value"])
    if total:
        return total
    for one in matching(line.segments, "QVR"):
        if one.at(1, 2) in _NOT_ACCEPTED:
            difference = number_text(one.at(1, 1), message, context, one.place).lstrip("-")
            total += Decimal(quantity(difference, "", message, context, one.place, "not_negative")["value"])
    return total
