"""``edifact.DESADV``: a delivery has left, package by package.

CPS opens a package or a level of packages, below the one that it names. The SSCCs of its PAC and PCI stand in GIN; the
lines up to the next CPS are in it, or, where it has no SSCC, in the one that its CPS stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.edi.packages import Load, ssccs_in
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, messages_of
from mappings.inbound.edifact.parts import (
    LineItem,
    check_line_count,
    document_number,
    item,
    line_quantity,
    lot_and_serials,
    needed_instant,
    order_ref,
    party,
    split_lines,
)
from mappings.inbound.payload import present, wrong

_SSCC = ("BJ", "AW")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_shipment(message, context) for message in messages_of(payload, "DESADV", "message")]


def _shipment(message: EdiMessage, context: InboundContext) -> Event:
    head, lines = split_lines(message, needed=False)
    check_line_count(message, lines, context)
    data = present(
        event_time=needed_instant(message, context, "11", "137"),
        location={"site": context.plant.code},
        delivery_id=document_number(message),
        carrier=_carrier(head),
        ship_from=party(head, "SF", "SH", "SU", "SE"),
        ship_to=party(head, "DP", "ST", "UC", "CN"),
    )
    return Event("shipment.confirmed.v1", data | _load(message, head, lines, context).told())


def _carrier(head: Sequence[Segment]) -> str | None:
    transport = first_of(head, "TDT")
    named = (transport.at(5, 1) or transport.at(5, 4)) if transport else ""
    return named or party(head, "CA", "FW")


@dataclass
class _Level:
    """What one CPS tells: its SSCCs, and those of the level that it stands in."""

    ssccs: list[str] = field(default_factory=list)
    around: list[str] = field(default_factory=list)


def _load(message: EdiMessage, head: Sequence[Segment], lines: Sequence[LineItem], context: InboundContext) -> Load:
    load, levels, level = Load(context), dict[str, _Level](), _Level()
    waiting, line = iter(lines), None
    for segment in message.segments:
        if segment.tag == "CPS":
            level, line = _opened(segment, levels), None
        elif segment.tag == "LIN":
            line = next(waiting, None)
            if line is not None:
                own = _packed(line.segments, load, context)
                load.add_line(_line(message, line, head, context), own or level.ssccs or level.around)
        elif segment.tag == "GIN" and line is None:
            level.ssccs = list(dict.fromkeys([*level.ssccs, *_packed([segment], load, context)]))
    if not load.packages and not load.lines:
        told = f"the DESADV of {message.place} has no line (LIN) and no package (GIN BJ)"
        raise wrong("nothing_reported", told, message.place)
    return load


def _opened(cps: Segment, levels: dict[str, _Level]) -> _Level:
    own, parent = cps.at(1), cps.at(2)
    around = levels.get(parent) if parent != own else None
    levels[own] = _Level(around=(around.ssccs or around.around) if around else [])
    return levels[own]


def _packed(segments: Sequence[Segment], load: Load, context: InboundContext) -> list[str]:
    """The SSCCs that these segments name, which are packages of the delivery from now on."""
    found: list[str] = []
    for gin in segments:
        if gin.tag == "GIN" and gin.at(1) in _SSCC:
            for at in range(2, 7):
                if first := gin.at(at, 1):
                    ssccs = ssccs_in(first, gin.at(at, 2), context, gin.place)
                    load.add_packages(ssccs, gin.place)
                    found += ssccs
    return list(dict.fromkeys(found))


def _line(message: EdiMessage, line: LineItem, head: Sequence[Segment], context: InboundContext) -> dict[str, Any]:
    return present(
        item=item(line, context),
        quantity=line_quantity(message, line, context, "12", "11", "46"),
        order_ref=order_ref(line.segments, head),
        **lot_and_serials(line),
    )
