"""What schedules and definitions share: the materials that segments plan to use, and the item that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from mappings.context import InboundContext
from mappings.inbound.mes_b2mml.parts import CONSUMED, MAIN_PRODUCED, PRODUCED, material_line, unsupported_use
from mappings.inbound.payload import wrong
from mappings.units import Quantity, plain, quantity

# Uses of the standard that take nothing from stock and bring nothing to it.
_PLANS_NOTHING = frozenset(
    {"Consumable", "Sample", "Resurned Sample", "Returned Sample", "Retained Sample", "Carrier", "Returned Carrier"}
)


def planned_materials(segments: Sequence[Mapping[str, Any]], context: InboundContext) -> Iterator[dict[str, Any]]:
    """Every requirement that plans something."""
    ignored = context.options.get("ignored_uses", ())
    for segment in segments:
        for material in segment["materials"]:
            use = material.get("use")
            if use is None or use in _PLANS_NOTHING or use in ignored:
                continue
            if use not in CONSUMED and use not in PRODUCED:
                raise unsupported_use(material, "whether it is to be made or used")
            yield material | {"segment": segment["place"], "segment_id": segment.get("id")}


def product(place: str, materials: Sequence[Mapping[str, Any]], context: InboundContext) -> tuple[str, dict[str, str]]:
    """The item to be made and how much: made in a segment and used in none; two segments may say the same."""
    used = {material.get("item") for material in materials if material["use"] in CONSUMED}
    made = [one for one in materials if one["use"] in MAIN_PRODUCED and one.get("item") not in used]
    if not made:
        reason = f"{place} has no material with the use Produced, so nobody knows what to make"
        raise wrong("product_missing", reason, place)
    amounts: dict[str, list[Quantity]] = {}
    for material in made:
        line = material_line(material, context)
        if line["item"] != made[0]["item"]:
            reason = f"{material['place']} is to be made beside {made[0]['item']}, and one item is made at a time"
            raise wrong("product_ambiguous", reason, material["place"])
        amounts.setdefault(material["segment"], []).append(quantity(line["quantity"]))
    totals = {_total(inside, made[0]["place"]) for inside in amounts.values()}
    if len(totals) != 1:
        reason = f"{made[0]['place']} and another segment plan different amounts of {made[0]['item']}"
        raise wrong("product_ambiguous", reason, made[0]["place"])
    value, uom = totals.pop()
    return made[0]["item"], {"value": value, "uom": uom}


def _total(amounts: Sequence[Quantity], place: str) -> tuple[str, str]:
    """Several lots of one item in one segment add up."""
    if len({amount.uom for amount in amounts}) != 1:
        raise wrong("quantity_ambiguous", f"{place} and its like are planned in different units", place)
    with localcontext(prec=80):
        total = sum((amount.value for amount in amounts), Decimal(0))
    if not total:
        raise wrong("quantity_invalid", f"{place} plans a quantity of zero", place)
    return plain(total), amounts[0].uom
