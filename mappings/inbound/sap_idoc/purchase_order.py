"""``idoc.ORDERS``: a purchase order as a whole. Basic types ORDERS01 to ORDERS05.

A line with several delivery dates (E1EDP20) becomes a line for each: ``10/1``, ``10/2``. An item has several numbers
(E1EDP19): the buyer's own (001), the supplier's (002), its GTIN (003); the source's option ``item_qualifiers`` says
which are taken, the first that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.payload import present, wrong
from mappings.inbound.sap_idoc.segments import Idoc, Segment, idocs, moment, quantity, unpadded, written_at

_ITEM_QUALIFIERS = ("001", "002", "003")
_DELETED = "003"
_OWN_NUMBER = "001"
_PARTNERS = {"AG": "buyer", "LF": "supplier", "WE": "ship_to"}


@dataclass
class _Line:
    segment: Segment
    schedule: list[Segment] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_order(idoc, context) for idoc in idocs(payload, ("ORDERS", "ORDCHG"), context)]


def _order(idoc: Idoc, context: InboundContext) -> Event:
    """A change (ORDCHG) is sent as a whole by SAP as well, and replaces what was before."""
    head = idoc.only("E1EDK01")
    if head.get("ACTION") == _DELETED:
        told = f"{head.at('ACTION')} says that the order is cancelled, which no event says"
        raise MappingError("order_cancelled", f"{told}; tell the plant, then discard this message.", head.at("ACTION"))
    lines = [one for line in _lines(idoc) for one in _scheduled(line, context)]
    if not lines:
        raise wrong("nothing_reported", f"the order at {head.place} has no line that is still wanted", head.place)
    partners = {role: _partner(idoc, code) for code, role in _PARTNERS.items()}
    number = _number(idoc, head)
    data = present(
        event_time=written_at(idoc, context),
        location={"site": context.plant.code},
        purchase_order=number,
        **partners,
        lines=lines,
    )
    return Event("purchase.order.placed.v1", data)


def _number(idoc: Idoc, head: Segment) -> str:
    named = (one.get("BELNR") for one in idoc.segments if one.name == "E1EDK02" and one.get("QUALF") == _OWN_NUMBER)
    return unpadded(next((number for number in named if number), "") or head.needed("BELNR"))


def _partner(idoc: Idoc, role: str) -> str:
    """A partner's number as its own side calls it (PARTN), else as the other does (LIFNR)."""
    for segment in idoc.segments:
        if segment.name == "E1EDKA1" and segment.get("PARVW") == role:
            return unpadded(segment.get("PARTN") or segment.get("LIFNR") or "") if segment.fields else ""
    return ""


def _lines(idoc: Idoc) -> list[_Line]:
    found: list[_Line] = []
    for segment in idoc.segments:
        if segment.name == "E1EDP01":
            found.append(_Line(segment))
        elif segment.name in ("E1EDP20", "E1EDP19") and not found:
            raise wrong("segment_unexpected", f"{segment.place} stands before the first E1EDP01", segment.place)
        elif segment.name == "E1EDP20":
            found[-1].schedule.append(segment)
        elif segment.name == "E1EDP19" and segment.get("IDTNR"):
            found[-1].numbers.setdefault(segment.get("QUALF"), segment.get("IDTNR"))
    return [line for line in found if line.segment.get("ACTION") != _DELETED]


def _scheduled(line: _Line, context: InboundContext) -> list[dict[str, Any]]:
    code, item = unpadded(line.segment.needed("POSEX")), _item(line, context)
    dated = [one for one in line.schedule if one.number("WMENG")]
    if len(dated) < 2:
        need_by = moment(dated[0], "EDATU", "EZEIT", context) if dated else None
        whole = quantity(line.segment, "MENGE", ("MENEE",), context)
        return [present(line=code, item=item, quantity=whole, need_by=need_by)]
    _check_sum(line, dated, context)
    return [
        present(
            line=f"{code}/{number}",
            item=item,
            quantity=_of_schedule(line.segment, one, context),
            need_by=moment(one, "EDATU", "EZEIT", context),
        )
        for number, one in enumerate(dated, start=1)
    ]


def _check_sum(line: _Line, dated: Sequence[Segment], context: InboundContext) -> None:
    total = sum((one.number("WMENG") for one in dated), Decimal(0))
    if line.segment.number("MENGE") != total:
        told = (
            f"{line.segment.at('MENGE')} is {line.segment.get('MENGE')[:20]}, and its delivery dates add up to {total}"
        )
        context.deviations.allow("schedule_sum", f"{told}; the dates were taken", line.segment.at("MENGE"))


def _of_schedule(line: Segment, one: Segment, context: InboundContext) -> dict[str, str]:
    """A delivery date counts in the unit of its line."""
    with_unit = Segment(one.name, one.place, {**one.fields, "MENEE": line.needed("MENEE")})
    return quantity(with_unit, "WMENG", ("MENEE",), context)


def _item(line: _Line, context: InboundContext) -> str:
    wanted = context.options.get("item_qualifiers", _ITEM_QUALIFIERS)
    found = next((line.numbers[qualifier] for qualifier in wanted if qualifier in line.numbers), None)
    if found is None:
        told = f"{line.segment.place} has no E1EDP19 with {' or '.join(wanted)}, so its item has no number"
        raise wrong("item_missing", told, line.segment.place)
    return unpadded(found)
