"""What all B2MML documents say in the same words: material, its amount, its place, and when it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import BoundedList, Code, Flag, instant_text
from mappings.canonical.parts import parts
from mappings.context import InboundContext, MappingError
from mappings.inbound.payload import Payload, amount, present, wrong
from mappings.inbound.plant_time import from_iso

CONSUMED = frozenset({"Consumed", "Material Consumed"})
MAIN_PRODUCED = frozenset({"Produced", "Material Produced", "Yield Produced"})
PRODUCED = MAIN_PRODUCED | {"Co-product Produced", "By-product Produced"}
_LEVELS = {
    "Site": "site",
    "Area": "area",
    "WorkCenter": "work_center",
    "ProcessCell": "work_center",
    "ProductionUnit": "work_center",
    "ProductionLine": "work_center",
    "WorkUnit": "work_unit",
    "WorkCell": "work_unit",
    "Unit": "work_unit",
    "StorageZone": "storage",
    "StorageUnit": "bin",
}


class Place(Code):
    """Where in the body a thing stands, as its reader tells it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=300, **options)


def levels() -> fields.Dict:
    return fields.Dict(keys=Code(), values=Code(), load_default=dict)


def texts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class QuantityValue(Payload):
    value = Code()
    uom = Code()


class Material(Payload):
    """A MaterialActual or MaterialRequirement of any version."""

    place = Place(required=True)
    item = Code()
    other_items = BoundedList(Code(), load_default=list)
    lots = BoundedList(Code(), load_default=list)
    sub_lot = Code()
    use = Code()
    other_use = Code()
    location = levels()
    quantities = parts(QuantityValue, load_default=list)
    assembly = Flag(load_default=False)
    properties = texts()
    serials = BoundedList(Code(), load_default=list)


def material_line(material: Mapping[str, Any], context: InboundContext) -> dict[str, Any]:
    """Its item, lot and quantity; raises MappingError with its place where one of them is missing or ambiguous."""
    place = material["place"]
    if not material.get("item"):
        raise wrong("payload_invalid", f"{place} has no MaterialDefinitionID", place)
    if material["other_items"]:
        raise wrong("item_ambiguous", f"{place} names several items, and one is needed", place)
    if material["assembly"]:
        raise wrong("assembly_unsupported", f"{place} lists an assembly; its parts are sent as materials", place)
    return present(
        item=material["item"],
        lot=the_lot(material["lots"], place),
        sub_lot=material.get("sub_lot"),
        serials=material["serials"],
        quantity=the_quantity(material["quantities"], context, place),
    )


def the_lot(lots: list[str], place: str) -> str | None:
    if len(set(lots)) > 1:
        raise wrong("lot_ambiguous", f"{place} names several lots and not how much of each", place)
    return lots[0] if lots else None


def the_quantity(quantities: list[Mapping[str, str]], context: InboundContext, place: str) -> dict[str, str]:
    if not quantities:
        raise wrong("payload_invalid", f"{place} has no Quantity", place)
    if len(quantities) != 1:
        raise wrong("quantity_ambiguous", f"{place} has several quantities, and one is needed", place)
    for name, element in (("value", "QuantityString"), ("uom", "UnitOfMeasure")):
        if name not in quantities[0]:
            raise wrong("payload_invalid", f"{place} has a Quantity without {element}", place)
    return amount(quantities[0]["value"], quantities[0]["uom"], context, place, "not_negative")


def is_scrap(material: Mapping[str, Any]) -> bool:
    return material.get("use") == "Other" and (material.get("other_use") or "").casefold() in ("scrap", "scrapped")


def unsupported_use(material: Mapping[str, Any], what: str) -> MappingError:
    place, use = material["place"], material.get("use")
    if not use:
        return wrong("material_use_missing", f"{place} has no MaterialUse, so nobody knows {what}", place)
    reason = f"{place} has the use {use!r}, which does not say {what}"
    mend = "List it in the source's option ignored_uses in the topology file, then requeue."
    return MappingError("material_use_unsupported", f"{reason}. {mend}", place)


def where(levels_: Mapping[str, str], context: InboundContext) -> dict[str, str]:
    """A canonical location: the plant, and what the document says of it."""
    return {"site": context.plant.code} | place_of(levels_)


def place_of(levels_: Mapping[str, str]) -> dict[str, str]:
    return {_LEVELS[level]: code for level, code in levels_.items() if level in _LEVELS}


def told_at(times: tuple[str | None, ...], context: InboundContext, place: str) -> str:
    """When a document that tells how things stand was written: the first of these times, else when it came."""
    when = next((time for time in times if time), None)
    return instant_text(context.received_at) if when is None else from_iso(when, context.plant, place)
