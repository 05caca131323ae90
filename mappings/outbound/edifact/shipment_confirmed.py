"""``shipment.confirmed.v1`` as DESADV D.96A: the delivery, its packages by their SSCC, and the goods in each.

Loose goods stand in a level (CPS) of their own without a package. The reversal is the same advice with function 1,
which cancels it (code list 1225). What the message has no place for, a sub-lot, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.gs1 import check_digit
from mappings.outbound.edi.writing import (
    ShippedGoods,
    fitting,
    local_time,
    loose,
    needed_option,
    order_of,
    packed,
    reference,
    unit_code,
)

_ORIGINAL, _CANCELLATION = "9", "1"
_SERIALS_A_SEGMENT = 5
# UN/ECE Recommendation 20.
_UNITS = {"EA": "PCE", "KG": "KGM", "G": "GRM", "L": "LTR", "M": "MTR", "LB": "LBR"}
Composite = Iterable[str]


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    return {
        "text": _interchange(event.data, context, _ORIGINAL),
        "reversal_text": _interchange(event.data, context, _CANCELLATION),
    }


def _interchange(data: Mapping[str, Any], context: OutboundContext, function: str) -> str:
    name = reference(context.posting_key, function)
    moment = local_time(data["event_time"], context)
    message = [
        _segment("UNH", "1", ("DESADV", "D", "96A", "UN", _association(context))),
        *_head(data, context, function),
        *_levels(data, context),
    ]
    lines = sum(segment.startswith("LIN+") for segment in message)
    message.append(_segment("CNT", ("2", str(lines))))
    header = _segment(
        "UNB",
        ("UNOC", "3"),
        _partner("sender", context),
        _partner("receiver", context),
        (moment.strftime("%y%m%d"), moment.strftime("%H%M")),
        name,
        *(("", "", "", "", "", "1") if context.options.get("usage") == "test" else ()),
    )
    whole = [header, *message, _segment("UNT", str(len(message) + 1), "1"), _segment("UNZ", "1", name)]
    return "UNA:+.? '\r\n" + "".join(f"{segment}'\r\n" for segment in whole)


def _association(context: OutboundContext) -> str:
    return fitting(str(context.options.get("association") or ""), 6, "", "association")


def _partner(role: str, context: OutboundContext) -> Composite:
    code = fitting(needed_option(context, role, 35), 35, "", role)
    return (code, fitting(str(context.options.get(f"{role}_qualifier") or ""), 4, "", f"{role}_qualifier"))


def _head(data: Mapping[str, Any], context: OutboundContext, function: str) -> Iterator[str]:
    when = local_time(data["event_time"], context).strftime("%Y%m%d%H%M")
    yield _segment("BGM", "351", fitting(data["delivery_id"], 35, "", "delivery_id"), function)
    yield _segment("DTM", ("137", when, "203"))
    yield _segment("DTM", ("11", when, "203"))
    for party, field in (("SF", "ship_from"), ("DP", "ship_to")):
        if code := data.get(field):
            yield _segment("NAD", party, (fitting(code, 35, "", field), "", _agency(code)))
    if carrier := data.get("carrier"):
        yield _segment("TDT", "20", "", "", "", ("", "", "", fitting(carrier, 35, "", "carrier")))


def _agency(code: str) -> str:
    """9 for a GLN, 92 for a code that the buyer gave (code list 3055)."""
    is_gln = len(code) == 13 and code.isascii() and code.isdigit() and check_digit(code[:12]) == int(code[12])
    return "9" if is_gln else "92"


def _levels(data: Mapping[str, Any], context: OutboundContext) -> Iterator[str]:
    levels, lines = count(1), count(1)
    if goods := loose(data):
        yield _segment("CPS", str(next(levels)))
        for each in goods:
            yield from _goods(each, next(lines), context)
    for sscc, goods in packed(data):
        yield _segment("CPS", str(next(levels)))
        yield _segment("PAC", "1")
        yield _segment("PCI", "33E")
        yield _segment("GIN", "BJ", sscc)
        for each in goods:
            yield from _goods(each, next(lines), context)


def _goods(goods: ShippedGoods, number: int, context: OutboundContext) -> Iterator[str]:
    line, path = goods.line, goods.path
    kind = fitting(str(context.options.get("item_code") or "IN"), 3, "", "item_code")
    yield _segment("LIN", str(number), "", (fitting(line["item"], 35, "", f"{path}.item"), kind))
    if lot := line.get("lot"):
        yield _segment("PIA", "1", (fitting(lot, 35, "", f"{path}.lot"), "NB"))
    quantity = line["quantity"]
    unit = unit_code(quantity["uom"], _UNITS, context, 3, f"{path}.quantity.uom")
    yield _segment("QTY", ("12", fitting(quantity["value"], 15, "", f"{path}.quantity"), unit))
    serials = [fitting(serial, 35, "", f"{path}.serials") for serial in line.get("serials", ())]
    for start in range(0, len(serials), _SERIALS_A_SEGMENT):
        yield _segment("GIN", "BN", *serials[start : start + _SERIALS_A_SEGMENT])
    if order := order_of(line):
        position = fitting(order.get("line", ""), 6, "", f"{path}.order_ref.line")
        yield _segment("RFF", ("ON", fitting(order["id"], 35, "", f"{path}.order_ref.id"), position))


def _segment(tag: str, *elements: str | Composite) -> str:
    """A segment without its terminator; what is empty at its end, or at a composite's, is left out."""
    texts = [each if isinstance(each, str) else _joined(":", each) for each in map(_escaped, elements)]
    return _joined("+", [tag, *texts])


def _escaped(element: str | Composite) -> str | Composite:
    return _released(element) if isinstance(element, str) else [_released(each) for each in element]


def _joined(separator: str, texts: Composite) -> str:
    found = list(texts)
    while found and not found[-1]:
        found.pop()
    return separator.join(found)


def _released(text: str) -> str:
    return "".join(f"?{each}" if each in "?+:'" else each for each in text)
