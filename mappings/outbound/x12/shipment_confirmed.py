"""``shipment.confirmed.v1`` as 856 004010: shipment, packages, orders and items (hierarchical structure 0003).

Loose goods stand right below the shipment. The reversal is the same notice with purpose 01, which cancels it (element
353). What the notice has no place for, a sub-lot, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.edi.writing import (
    ShippedGoods,
    control_number,
    fitting,
    local_time,
    loose,
    needed_option,
    order_of,
    packed,
    unit_code,
)

_ORIGINAL, _CANCELLATION = "00", "01"
_SEPARATORS = "*~>"
# X12 004010, element 355.
_UNITS = {"EA": "EA", "KG": "KG", "L": "LT", "M": "MR", "G": "GR"}


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    return {
        "text": _interchange(event.data, context, _ORIGINAL),
        "reversal_text": _interchange(event.data, context, _CANCELLATION),
    }


def _interchange(data: Mapping[str, Any], context: OutboundContext, purpose: str) -> str:
    number = control_number(context.posting_key, purpose)
    moment = local_time(data["event_time"], context)
    day, time = moment.strftime("%Y%m%d"), moment.strftime("%H%M")
    notice = _Notice(context)
    notice.write("ST", "856", "0001")
    notice.write("BSN", purpose, _text(data["delivery_id"], 30, "delivery_id"), day, time, "0003")
    _shipment(data, notice, day, time)
    notice.write("CTT", str(notice.levels))
    notice.write("SE", str(len(notice.segments) + 1), "0001")
    sender, receiver = (_text(needed_option(context, role, 15), 15, role) for role in ("sender", "receiver"))
    group = _segment("GS", "SH", sender, receiver, day, time, str(number), "X", "004010")
    ends = [_segment("GE", "1", str(number)), _segment("IEA", "1", f"{number:09d}")]
    whole = [_isa(sender, receiver, day[2:], time, number, context), group, *notice.segments, *ends]
    return "".join(f"{segment}~\r\n" for segment in whole)


def _isa(sender: str, receiver: str, day: str, time: str, number: int, context: OutboundContext) -> str:
    """Every element has its fixed width: readers find the separators by it."""
    kinds = [
        _text(str(context.options.get(f"{role}_qualifier") or "ZZ"), 2, f"{role}_qualifier").ljust(2)
        for role in ("sender", "receiver")
    ]
    usage = "T" if context.options.get("usage") == "test" else "P"
    parties = (kinds[0], sender.ljust(15), kinds[1], receiver.ljust(15))
    first = ("ISA", "00", " " * 10, "00", " " * 10, *parties, day, time, "U", "00401", f"{number:09d}", "0", usage, ">")
    return "*".join(first)


@dataclass
class _Notice:
    context: OutboundContext
    segments: list[str] = field(default_factory=list)
    levels: int = 0

    def write(self, tag: str, *elements: str) -> None:
        self.segments.append(_segment(tag, *elements))

    def open_level(self, code: str, parent: int | None) -> int:
        self.levels += 1
        self.write("HL", str(self.levels), str(parent or ""), code)
        return self.levels


def _shipment(data: Mapping[str, Any], notice: _Notice, day: str, time: str) -> None:
    top = notice.open_level("S", None)
    if carrier := data.get("carrier"):
        notice.write("TD5", "", "", "", "", _text(carrier, 35, "carrier"))
    notice.write("DTM", "011", day, time)
    for party, name in (("SF", "ship_from"), ("ST", "ship_to")):
        if code := data.get(name):
            notice.write("N1", party, "", "92", _text(code, 80, name))
    _orders(loose(data), top, notice)
    for sscc, goods in packed(data):
        package = notice.open_level("P", top)
        notice.write("MAN", "GM", "00" + sscc)
        _orders(goods, package, notice)


def _orders(goods: Iterable[ShippedGoods], parent: int, notice: _Notice) -> None:
    """Goods below the order that they are for, in the order in which they stand; those for none right below."""
    open_order, above = "", parent
    for each in goods:
        order = order_of(each.line)
        name = _text(order.get("id", ""), 22, f"{each.path}.order_ref.id")
        if name != open_order:
            open_order, above = name, notice.open_level("O", parent) if name else parent
            if name:
                notice.write("PRF", name)
        _item(each, order, above, notice)


def _item(goods: ShippedGoods, order: Mapping[str, str], parent: int, notice: _Notice) -> None:
    line, path = goods.line, goods.path
    notice.open_level("I", parent)
    kind = _text(str(notice.context.options.get("item_code") or "IN"), 2, "item_code")
    lot = ["LT", _text(line["lot"], 48, f"{path}.lot")] if line.get("lot") else []
    notice.write("LIN", "", kind, _text(line["item"], 48, f"{path}.item"), *lot)
    quantity = line["quantity"]
    unit = unit_code(quantity["uom"], _UNITS, notice.context, 2, f"{path}.quantity.uom")
    notice.write("SN1", "", _text(quantity["value"], 20, f"{path}.quantity"), unit)
    if position := order.get("line"):
        notice.write("PRF", order["id"], "", "", "", "", _text(position, 20, f"{path}.order_ref.line"))
    for serial in line.get("serials", ()):
        notice.write("REF", "SE", _text(serial, 30, f"{path}.serials"))


def _text(value: str, most: int, path: str) -> str:
    return fitting(value, most, _SEPARATORS, path)


def _segment(tag: str, *elements: str) -> str:
    """A segment without its terminator; what is empty at its end is left out."""
    return "*".join([tag, *elements]).rstrip("*")
