"""``x12.830``: what a customer will need of each item, and how sure that is (FST).

FST02 is the firmness (X12 element 680): A, C, H and Q are firm, B and P (pilot, prototype) planned, D is a forecast,
and so is, with a note, any other code. Capacities, changes and cancellations are no demand and are refused.
What is needed is due at FST04, the first day of its span. SDQ parts the same quantity by the customer's places and is
passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, matching, messages_of
from mappings.inbound.edi.values import quantity
from mappings.inbound.payload import present, wrong
from mappings.inbound.x12.parts import (
    ORIGINAL_OR_REPLACEMENT,
    begin,
    check_total,
    codes_of,
    instant_at,
    item,
    needed,
    needed_groups,
    needed_instant,
)

_FIRMNESS = {"A": "firm", "C": "firm", "H": "firm", "Q": "firm", "B": "planned", "P": "planned", "D": "forecast"}
_NO_DEMAND = frozenset("MNSTWX")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    sets = messages_of(payload, "830", "transaction set")
    return [event for message in sets for event in _signals(message, context)]


def _signals(message: EdiMessage, context: InboundContext) -> list[Event]:
    bfr = begin(message, "BFR", 1, ORIGINAL_OR_REPLACEMENT)
    _, lines = needed_groups(message, "LIN")
    check_total(message, context, "lines", len(lines))
    when = needed_instant(instant_at(bfr, 8, context) or instant_at(bfr, 6, context), bfr)
    horizon = present(start=instant_at(bfr, 6, context), end=instant_at(bfr, 7, context))
    return [Event("supply.signalled.v1", _signal(message, line, when, horizon, context)) for line in lines]


def _signal(
    message: EdiMessage, line: Sequence[Segment], when: str, horizon: dict[str, str], context: InboundContext
) -> dict[str, Any]:
    lin, unit = line[0], first_of(line, "UIT")
    uom = unit.at(1) if unit else ""
    schedule = [_due(message, fst, uom, context) for fst in matching(line, "FST")]
    if not schedule:
        raise wrong("quantity_missing", f"{lin.place} schedules nothing: it has no FST", lin.place)
    firmness = {each["firmness"] for each in schedule}
    return present(
        event_time=when,
        location={"site": context.plant.code},
        item=item(codes_of(lin, 2), context, lin.place),
        schedule=schedule,
        horizon=horizon,
        firmness=firmness.pop() if len(firmness) == 1 else "planned",
    )


def _due(message: EdiMessage, fst: Segment, uom: str, context: InboundContext) -> dict[str, Any]:
    due = instant_at(fst, 4, context)
    if due is None:
        raise wrong("time_missing", f"{fst.place} is due at no date (FST04)", fst.place)
    amount = needed(fst, 1, "the quantity")
    wire = quantity(amount, uom, message, context, fst.place, "not_negative")
    return {"due": due, "quantity": wire, "firmness": _firmness(fst, context)}


def _firmness(fst: Segment, context: InboundContext) -> str:
    code = fst.at(2)
    if code in _NO_DEMAND:
        raise wrong(
            "forecast_unsupported", f"{fst.place} has the qualifier {code} (680), which is no demand", fst.place
        )
    if code not in _FIRMNESS:
        told = f"the forecast qualifier {code[:10]!r} says nothing about how firm it is"
        context.deviations.allow("firmness_unknown", told, fst.place)
    return _FIRMNESS.get(code, "forecast")
