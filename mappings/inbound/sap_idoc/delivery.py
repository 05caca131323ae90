"""``idoc.DESADV`` and ``idoc.SHPCON``: a delivery that has left, with its items and the handling units they are in.

An item says how much leaves, a handling unit how much of it is inside. A unit with an SSCC becomes a package; what no
such unit holds stays a line of the delivery. Basic types DELVRY03 to DELVRY07.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from mappings.canonical.fields import Sscc
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.payload import present, wrong
from mappings.inbound.sap_idoc.segments import (
    Idoc,
    Segment,
    check_plant,
    idocs,
    material,
    moment,
    quantity,
    unpadded,
    written_at,
)

_GOODS_ISSUE = "006"
_SHIP_TO, _CARRIER = "WE", "SP"
_MATERIAL = "1"
_SSCC = Sscc()
# An SSCC may begin with some zeros; SAP's own numbers of handling units have ten digits at most behind theirs.
_SSCC_LEAST = 14


@dataclass
class _Item:
    """``packed`` is what handling units hold of it, by unit of measure as SAP writes it."""

    segment: Segment
    order_ref: dict[str, str] = field(default_factory=dict)
    packed: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class _Unit:
    """A handling unit with the segments of what is in it."""

    segment: Segment
    contents: list[Segment] = field(default_factory=list)


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_shipment(idoc, context) for idoc in idocs(payload, ("DESADV", "SHPCON"), context)]


def _shipment(idoc: Idoc, context: InboundContext) -> Event:
    head = idoc.only("E1EDL20")
    items, units = _items(idoc, context), _units(idoc)
    packages = [package for one in units if (package := _package(one, items, context))]
    lines = [line for item in items.values() if (line := _rest(item, context))]
    if not packages and not lines:
        raise wrong("nothing_reported", f"the delivery at {head.place} holds no amount of any material", head.place)
    data = present(
        event_time=_left_at(idoc, context),
        location={"site": context.plant.code},
        delivery_id=unpadded(head.needed("VBELN")),
        carrier=_partner(idoc, _CARRIER),
        ship_from=head.get("VSTEL"),
        ship_to=_partner(idoc, _SHIP_TO),
        packages=packages,
        lines=lines,
    )
    return Event("shipment.confirmed.v1", data)


def _left_at(idoc: Idoc, context: InboundContext) -> str:
    """The actual goods issue; where it is not told, when the IDoc was written."""
    for deadline in idoc.segments:
        if deadline.name == "E1EDT13" and deadline.get("QUALF") == _GOODS_ISSUE:
            actual = moment(deadline, "ISDD", "ISDZ", context)
            if actual is not None:
                return actual
    return written_at(idoc, context)


def _partner(idoc: Idoc, role: str) -> str:
    partners = (one for one in idoc.segments if one.name == "E1ADRM1" and one.get("PARTNER_Q") == role)
    found = next(partners, None)
    return unpadded(found.get("PARTNER_ID")) or found.get("NAME1") if found else ""


def _items(idoc: Idoc, context: InboundContext) -> dict[str, _Item]:
    """Items by their number; what refers to an item stands behind it."""
    found: dict[str, _Item] = {}
    current: _Item | None = None
    for segment in idoc.segments:
        if segment.name == "E1EDL24":
            check_plant(segment, "WERKS", context)
            number = segment.needed("POSNR")
            if number in found:
                raise wrong("item_twice", f"{segment.at('POSNR')} names item {number} again", segment.at("POSNR"))
            current = found[number] = _Item(segment)
        elif segment.name == "E1EDL37":
            current = None
        elif current is not None:
            current.order_ref = _order_ref(segment) or current.order_ref
    return found


def _order_ref(segment: Segment) -> dict[str, str]:
    """The customer's purchase order goes before our sales order."""
    if segment.name == "E1EDL41" and segment.get("QUALI") == "001" and segment.get("BSTNR"):
        return _reference("purchase_order", segment.get("BSTNR"), segment.get("POSEX"))
    if segment.name == "E1EDL43" and segment.get("QUALF") in ("C", "V") and segment.get("BELNR"):
        kind = "sales_order" if segment.get("QUALF") == "C" else "purchase_order"
        return _reference(kind, segment.get("BELNR"), segment.get("POSNR"))
    return {}


def _reference(kind: str, number: str, line: str) -> dict[str, str]:
    return present(type=kind, id=unpadded(number), line=unpadded(line) if line.strip("0") else None)


def _units(idoc: Idoc) -> list[_Unit]:
    found: list[_Unit] = []
    for segment in idoc.segments:
        if segment.name == "E1EDL37":
            found.append(_Unit(segment))
        elif segment.name == "E1EDL44" and segment.get("VELIN") in ("", _MATERIAL):
            if not found:
                raise wrong("segment_unexpected", f"{segment.place} stands in no handling unit E1EDL37", segment.place)
            found[-1].contents.append(segment)
    return found


def _package(one: _Unit, items: Mapping[str, _Item], context: InboundContext) -> dict[str, Any] | None:
    number = one.segment.needed("EXIDV").lstrip("0")
    sscc = number.rjust(18, "0")
    try:
        if len(number) < _SSCC_LEAST:
            raise ValidationError("is a number of SAP's own")
        _SSCC.deserialize(sscc)
    except ValidationError:
        told = f"handling unit {one.segment.get('EXIDV')[:20]} has no SSCC, so its goods are told without it"
        context.deviations.allow("unit_without_sscc", told, one.segment.at("EXIDV"))
        return None
    return present(sscc=sscc, lines=[_packed(content, items, context) for content in one.contents])


def _packed(content: Segment, items: Mapping[str, _Item], context: InboundContext) -> dict[str, Any]:
    item = items.get(content.needed("POSNR"))
    if item is None:
        told = f"{content.at('POSNR')} is item {content.get('POSNR')}, which the delivery does not have"
        raise wrong("item_unknown", told, content.at("POSNR"))
    measure = content.needed("VEMEH")
    item.packed[measure] = item.packed.get(measure, Decimal(0)) + content.number("VEMNG")
    return _line(item, quantity(content, "VEMNG", ("VEMEH",), context), content.get("CHARG"))


def _rest(item: _Item, context: InboundContext) -> dict[str, Any] | None:
    """What of an item no package holds."""
    segment = item.segment
    if not item.packed:
        return (
            None
            if not segment.number("LFIMG")
            else _line(item, quantity(segment, "LFIMG", ("VRKME", "MEINS"), context))
        )
    amount_field, unit_field = _counted_in(item)
    rest = segment.number(amount_field) - sum(item.packed.values(), Decimal(0))
    if rest < 0:
        told = f"{segment.at(amount_field)} is less than its handling units hold together"
        raise wrong("quantity_invalid", told, segment.at(amount_field))
    if not rest:
        return None
    left = Segment(segment.name, segment.place, {**segment.fields, amount_field: format(rest, "f")})
    return _line(item, quantity(left, amount_field, (unit_field,), context))


def _counted_in(item: _Item) -> tuple[str, str]:
    """The item's amount in the unit that its handling units count in: its base unit, or the one that it is sold in."""
    for amount_field, unit_field in (("LGMNG", "MEINS"), ("LFIMG", "VRKME")):
        measure = item.segment.get(unit_field)
        if item.segment.get(amount_field) and measure and set(item.packed) == {measure}:
            return amount_field, unit_field
    told = f"{item.segment.place} is packed in {', '.join(sorted(item.packed))[:40]}, and has no amount in that unit"
    raise MappingError(
        "quantity_ambiguous", f"{told}; have SAP send MEINS and LGMNG with it.", item.segment.at("LGMNG")
    )


def _line(item: _Item, counted: dict[str, str], lot: str = "") -> dict[str, Any]:
    batch = lot or item.segment.get("CHARG")
    return present(item=material(item.segment), lot=batch, quantity=counted, order_ref=item.order_ref)
