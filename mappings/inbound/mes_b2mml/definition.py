"""``b2mml.ProductDefinition`` and ``b2mml.OperationsDefinition``: what an item is made of.

The bill is read from the MaterialSpecifications of the segments: what they produce, and none of them consumes, is the
item, and what they consume, and none of them produces, is a component. A ManufacturingBill or OperationsMaterialBill
tells amounts for one unit of the product and not which unit, so it is no bill of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import BoundedList, Code
from mappings.canonical.parts import Part, parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.parts import (
    CONSUMED,
    PRODUCED,
    Material,
    Place,
    material_line,
    told_at,
    unsupported_use,
    where,
)
from mappings.inbound.mes_b2mml.planned import planned_materials, product
from mappings.inbound.payload import Payload, load, present, wrong
from mappings.inbound.plant_time import from_iso


class Segment(Payload):
    place = Place(required=True)
    id = Code()
    materials = parts(Material, load_default=list)


class Definition(Payload):
    place = Place(required=True)
    id = Code()
    version = Code()
    operations_type = Code()
    published = Code()
    start = Code()
    end = Code()
    bills = fields.Integer(strict=True, load_default=0)
    segments = BoundedList(Part(Segment), load_default=list)


class Definitions(Payload):
    created = Code()
    definitions = parts(Definition, low=1, required=True)


_SCHEMA = Definitions()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    document = load(_SCHEMA, payload)
    return [_bom_changed(one, document.get("created"), context) for one in document["definitions"]]


def _bom_changed(definition: Mapping[str, Any], created: str | None, context: InboundContext) -> Event:
    place = definition["place"]
    _check_type(definition)
    _check_uses(definition)
    materials = list(planned_materials(definition["segments"], context))
    if not materials and definition["bills"]:
        reason = f"{place} tells its bill for one unit of the product and not which unit"
        raise wrong("bill_without_unit", f"{reason}; send it as the MaterialSpecifications of its segments", place)
    item, made = product(place, materials, context)
    components = _components(materials, context)
    if not components:
        raise wrong("bill_empty", f"{place} has no material with the use Consumed, so {item} is made of nothing", place)
    span = {name: from_iso(definition[name], context.plant, place) for name in ("start", "end") if name in definition}
    return Event(
        "bom.changed.v1",
        present(
            event_time=told_at((definition.get("published"), created), context, place),
            location=where({}, context),
            item=item,
            revision=definition.get("version"),
            effectivity=span,
            quantity=made,
            components=components,
        ),
    )


def _check_type(definition: Mapping[str, Any]) -> None:
    kind = definition.get("operations_type", "Production")
    if kind not in ("Production", "Mixed"):
        reason = f"{definition['place']} is about {kind}; only Production is understood in a definition"
        mend = "Discard it, or have its type mapped and requeue."
        raise MappingError("operations_type_unsupported", f"{reason}. {mend}", definition["place"])


def _check_uses(definition: Mapping[str, Any]) -> None:
    """A bill is the whole list, so nothing in it is passed over for want of a use."""
    for segment in definition["segments"]:
        for material in segment["materials"]:
            if not material.get("use"):
                raise unsupported_use(material, "whether it is made or used")


def _components(materials: Sequence[Mapping[str, Any]], context: InboundContext) -> list[dict[str, Any]]:
    """What comes from outside: an item that one segment makes for another is none."""
    made = {material.get("item") for material in materials if material["use"] in PRODUCED}
    used = [one for one in materials if one["use"] in CONSUMED and one.get("item") not in made]
    return [_component(one, context) for one in used]


def _component(material: Mapping[str, Any], context: InboundContext) -> dict[str, Any]:
    line = material_line(material, context)
    return present(item=line["item"], quantity=line["quantity"], segment=material["segment_id"])
