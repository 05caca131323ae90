"""``x12.861``: what came in, line by line (RCD).

RCD02 is what was received; where BRA04 is 8, an acceptance certificate, it is what was accepted. RCD04 was returned,
and is rejected. RCD06 is in question, and neither accepted nor rejected, unless RCD08 says that it was short (02) or
over (03).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, messages_of
from mappings.inbound.edi.values import ItemCode, quantity
from mappings.inbound.payload import present, wrong
from mappings.inbound.x12.parts import (
    begin,
    check_total,
    codes_of,
    dated,
    instant_at,
    item,
    lot_and_serials,
    needed,
    needed_groups,
    needed_instant,
)
from mappings.units import plain

_NOT_RECEIVED = frozenset({"02", "03"})
_ACCEPTANCE = "8"


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    sets = messages_of(payload, "861", "transaction set")
    events = [event for message in sets for event in _receipts(message, context)]
    if not events:
        raise wrong("nothing_reported", "no line has a quantity that was received", "RCD")
    return events


def _receipts(message: EdiMessage, context: InboundContext) -> list[Event]:
    bra = begin(message, "BRA", 3)
    head, lines = needed_groups(message, "RCD")
    check_total(message, context, "lines", len(lines))
    when = needed_instant(dated(head, context, "050", "035") or instant_at(bra, 2, context, 5), bra)
    acceptance = bra.at(4) == _ACCEPTANCE
    receipts = [_receipt(message, line, head, when, acceptance, context) for line in lines]
    return [Event("receipt.recorded.v1", data) for data in receipts if data["received"]["value"] != "0"]


def _receipt(
    message: EdiMessage,
    line: Sequence[Segment],
    head: Sequence[Segment],
    when: str,
    acceptance: bool,
    context: InboundContext,
) -> dict[str, Any]:
    codes = _codes(line)
    place = line[0].place
    return present(
        event_time=when,
        location={"site": context.plant.code},
        document_ref=_reference(line, head),
        item=item(codes, context, place),
        **lot_and_serials(codes, line, place),
        **_amounts(message, line[0], acceptance, context),
    )


def _codes(line: Sequence[Segment]) -> list[ItemCode]:
    lin = first_of(line, "LIN")
    return codes_of(lin, 2) if lin else []


def _reference(line: Sequence[Segment], head: Sequence[Segment]) -> dict[str, str]:
    for segments in (line, head):
        order = first_of(segments, "PRF")
        if order is not None and order.at(1):
            return {"type": "purchase_order", "id": order.at(1)} | present(line=order.at(6))
        for qualifier, kind in (("PO", "purchase_order"), ("SI", "delivery"), ("BM", "delivery")):
            named = first_of(segments, "REF", qualifier)
            if named is not None and named.at(2):
                return {"type": kind, "id": named.at(2)}
    told = f"{line[0].place} names no purchase order (PRF, REF PO) and no delivery (REF SI)"
    raise wrong("reference_missing", told, line[0].place)


def _amounts(message: EdiMessage, rcd: Segment, acceptance: bool, context: InboundContext) -> dict[str, Any]:
    told = _amount(message, rcd, 2, context, needed(rcd, 2, "the number of units received"))
    returned = _amount(message, rcd, 4, context, rcd.at(4) or "0", rcd.at(3))
    questioned = _amount(message, rcd, 6, context, rcd.at(6) or "0", rcd.at(3))
    if len({told["uom"], returned["uom"], questioned["uom"]}) > 1:
        raise wrong("quantity_ambiguous", f"{rcd.place} counts in several units", rcd.place)
    open_ = Decimal(0) if rcd.at(8) in _NOT_RECEIVED else Decimal(questioned["value"])
    number, rejected = Decimal(told["value"]), Decimal(returned["value"])
    accepted = number if acceptance else number - rejected - open_
    received = number + rejected + open_ if acceptance else number
    if accepted < 0:
        reason = f"{rcd.place} received {plain(received)} and did not accept {plain(rejected + open_)}"
        raise wrong("quantity_ambiguous", f"{reason}, which does not add up", rcd.place)
    amounts = {"received": received, "accepted": accepted, "rejected": rejected}
    return {name: {"value": plain(value), "uom": told["uom"]} for name, value in amounts.items()}


def _amount(
    message: EdiMessage, rcd: Segment, element: int, context: InboundContext, text: str, unit: str = ""
) -> dict[str, str]:
    return quantity(text, rcd.at(element + 1) or unit, message, context, rcd.place, "not_negative")
