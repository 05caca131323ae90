"""``x12.856``: a delivery has left, by its hierarchy of shipment, orders, packages and items (HL).

An item is in the nearest package above it that has an SSCC (MAN GM), else in the only one below it, and it is for the
order above it. Where HL names no parent, it is the nearest one before it of a higher level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.packages import Load, ssccs_in
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, matching, messages_of
from mappings.inbound.edi.values import quantity
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
    party,
)

# From the outermost to the innermost; X12 004010, element 735.
_RANKS = {"S": 0, "O": 1, "T": 2, "P": 3, "Q": 3, "I": 4, "F": 5}
_SSCC = ("GM", "AA")


@dataclass
class _Level:
    """One HL with its own segments. ``ssccs``: of the package that it is."""

    code: str
    segments: Sequence[Segment]
    parent: _Level | None = None
    ssccs: list[str] = field(default_factory=list)
    below: list[_Level] = field(default_factory=list)

    @property
    def hl(self) -> Segment:
        return self.segments[0]

    def upwards(self) -> Iterator[_Level]:
        level: _Level | None = self
        while level is not None:
            yield level
            level = level.parent


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_shipment(message, context) for message in messages_of(payload, "856", "transaction set")]


def _shipment(message: EdiMessage, context: InboundContext) -> Event:
    bsn = begin(message, "BSN", 1)
    _, loops = needed_groups(message, "HL")
    levels = _hierarchy(loops, context)
    check_total(message, context, "lines", len(levels), sum(level.code == "I" for level in levels))
    shipment = next((level.segments for level in levels if level.code == "S"), ())
    when = dated(shipment, context, "011", "017") or instant_at(bsn, 3, context, 4)
    data = present(
        event_time=needed_instant(when, bsn),
        location={"site": context.plant.code},
        delivery_id=needed(bsn, 2, "the shipment's number"),
        carrier=_carrier(shipment),
        ship_from=party(shipment, "SF", "SH"),
        ship_to=party(shipment, "ST"),
    )
    return Event("shipment.confirmed.v1", data | _load(message, levels, context).told())


def _carrier(shipment: Sequence[Segment]) -> str | None:
    routing = first_of(shipment, "TD5")
    return (routing.at(3) or routing.at(5) or None) if routing else None


def _hierarchy(loops: Sequence[Sequence[Segment]], context: InboundContext) -> list[_Level]:
    by_id: dict[str, _Level] = {}
    levels: list[_Level] = []
    for loop in loops:
        hl = loop[0]
        level = _Level(hl.at(3), loop, _parent(hl, by_id, levels, context))
        if level.code not in _RANKS:
            told = f"{hl.place} is of the level {level.code[:10]!r}; known are {', '.join(sorted(_RANKS))}"
            raise wrong("level_unknown", told, hl.place)
        if hl.at(1) in by_id:
            context.deviations.allow("hierarchy_wrong", f"HL {hl.at(1)[:20]!r} is there twice", hl.place)
        by_id[hl.at(1)] = level
        levels.append(level)
        if level.parent is not None:
            level.parent.below.append(level)
    return levels


def _parent(hl: Segment, by_id: dict[str, _Level], before: Sequence[_Level], context: InboundContext) -> _Level | None:
    told = hl.at(2)
    if told and told not in by_id:
        raise wrong("hierarchy_wrong", f"{hl.place} stands in HL {told[:20]!r}, which is not before it", hl.place)
    if told:
        return by_id[told]
    rank = _RANKS.get(hl.at(3), 0)
    above = next((level for level in reversed(before) if _RANKS[level.code] < rank), None)
    if above is not None:
        context.deviations.allow("hierarchy_wrong", "an HL does not name the one that it stands in", hl.place)
    return above


def _load(message: EdiMessage, levels: Sequence[_Level], context: InboundContext) -> Load:
    load = Load(context)
    for level in levels:
        for mark in matching(level.segments, "MAN"):
            if mark.at(1) in _SSCC and mark.at(2):
                level.ssccs += ssccs_in(mark.at(2), mark.at(3), context, mark.place)
        load.add_packages(level.ssccs, level.hl.place)
    for level in levels:
        if level.code == "I" or first_of(level.segments, "SN1"):
            load.add_line(_line(message, level, context), _packages(level))
    if not load.packages and not load.lines:
        raise wrong("nothing_reported", f"the 856 of {message.place} has no item and no package", message.place)
    return load


def _packages(item_level: _Level) -> list[str]:
    above = next((level.ssccs for level in item_level.upwards() if level.ssccs), [])
    return above or [sscc for level in item_level.below for sscc in level.ssccs]


def _line(message: EdiMessage, level: _Level, context: InboundContext) -> dict[str, Any]:
    lin, sn1 = first_of(level.segments, "LIN"), first_of(level.segments, "SN1")
    if lin is None or sn1 is None:
        missing = "LIN" if lin is None else "SN1"
        raise wrong("segment_missing", f"the item of {level.hl.place} has no {missing}", level.hl.place)
    codes = codes_of(lin, 2)
    amount = needed(sn1, 2, "the number of units shipped")
    return present(
        item=item(codes, context, lin.place),
        quantity=quantity(amount, sn1.at(3), message, context, sn1.place),
        order_ref=_order(level),
        **lot_and_serials(codes, level.segments, lin.place),
    )


def _order(level: _Level) -> dict[str, str] | None:
    for above in level.upwards():
        order = first_of(above.segments, "PRF")
        if order is not None and order.at(1):
            return {"type": "purchase_order", "id": order.at(1)} | present(line=_position(level, order))
    return None


def _position(level: _Level, order: Segment) -> str:
    """The order's line (PRF06), where the item says it itself: an order's own PRF is for all its items."""
    return order.at(6) if order in level.segments else ""
