"""The objects of an EPCIS event: instances by their serial numbers, classes by their quantities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mappings.context import CORRECT_IT, MappingError, OutboundContext
from mappings.formats.gs1_identifiers import gtin_of, trade_item_link
from mappings.outbound.lines import base_quantity
from mappings.units import Quantity, plain

COUNT_UOM = "EA"
OBJECTS = ("epcList", "quantityList")
CHILDREN = ("childEPCs", "childQuantityList")
INPUTS = ("inputEPCList", "inputQuantityList")
OUTPUTS = ("outputEPCList", "outputQuantityList")


def objects(
    lines: Iterable[Mapping[str, Any]],
    context: OutboundContext,
    names: tuple[str, str] = OBJECTS,
    *,
    counted: bool = False,
) -> dict[str, Any]:
    """The two lists of an event for these lines; a list that is empty is left out. ``counted``: a quantity of zero says
    something."""
    epcs: dict[str, None] = {}
    quantities: list[dict[str, Any]] = []
    for line in lines:
        gtin = _gtin(line["item"], context)
        serials = line.get("serials", ())
        epcs |= dict.fromkeys(trade_item_link(gtin, line.get("lot"), serial) for serial in serials)
        quantities += _quantity(line, gtin, serials, context, counted=counted)
    found = {names[0]: list(epcs), names[1]: quantities}
    return {name: members for name, members in found.items() if members}


def _gtin(item: str, context: OutboundContext) -> str:
    code = context.options.get("items", {}).get(item, item)
    gtin = gtin_of(code)
    if gtin is None:
        raise MappingError(
            "gtin_missing",
            f"item {item} has no GTIN: {code[:40]!r} is none. Give it in the option items of target {context.target} "
            "in the topology file, then requeue.",
            "item",
        )
    return gtin


def _quantity(
    line: Mapping[str, Any], gtin: str, serials: Sequence[str], context: OutboundContext, *, counted: bool
) -> list[dict[str, Any]]:
    """What the serial numbers do not count: each of them is one."""
    link = trade_item_link(gtin, line.get("lot"))
    if "quantity" not in line:
        return [] if serials else [{"epcClass": link}]
    amount = base_quantity(line["item"], line["quantity"], context)
    count_uom = context.options.get("count_uom", COUNT_UOM)
    rest = amount.value - len(set(serials))
    if serials and (amount.uom != count_uom or rest < 0):
        raise MappingError(
            "serials_unclear",
            f"{plain(amount.value)} {amount.uom} of item {line['item']} have {len(serials)} serial numbers, each of "
            f"which counts as one {count_uom} in EPCIS. {CORRECT_IT}",
            "serials",
        )
    if not rest and (serials or not counted):
        return []
    element: dict[str, Any] = {"epcClass": link, "quantity": _number(Quantity(rest, amount.uom), line["item"])}
    return [element if amount.uom == count_uom else element | {"uom": _unit(amount.uom, context)}]


def _number(amount: Quantity, item: str) -> int | float:
    """EPCIS writes amounts as JSON numbers. A float is taken only where its shortest text is the decimal's own, so that
    no digit changes on the way; what has more digits is refused."""
    if amount.value == amount.value.to_integral_value():
        return int(amount.value)
    number = float(amount.value)
    if Decimal(repr(number)) != amount.value:
        raise MappingError(
            "quantity_inexact",
            f"{plain(amount.value)} {amount.uom} of item {item} has more digits than a JSON number keeps. {CORRECT_IT}",
            "quantity",
        )
    return number


def _unit(uom: str, context: OutboundContext) -> str:
    """The code of UN/CEFACT Recommendation 20, two or three capital letters and digits."""
    code = str(context.options.get("units", {}).get(uom, uom))
    if not (2 <= len(code) <= 3 and code.isascii() and code.isalnum() and code == code.upper()):
        raise MappingError(
            "unit_unknown",
            f"the unit {uom!r} has no code of UN/CEFACT Recommendation 20. Give it in the option units of target "
            f"{context.target} in the topology file, then requeue.",
            "uom",
        )
    return code
