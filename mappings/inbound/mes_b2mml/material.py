"""``b2mml.MaterialInformation``, ``b2mml.MaterialDefinition``, ``b2mml.MaterialLot`` and ``b2mml.MaterialSubLot``: what
items are, and how lots stand.

A definition is an item as a whole. Its base unit is the value of a property that the source's option
``unit_property`` names; unless told, of one of the names that ERP systems give it. An assembly of definitions tells no
quantities in B2MML, so it is no bill of materials; the event's note says that it was passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import Code, Text
from mappings.canonical.parts import parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.lots import Lot, SubLot, lot_events, sub_lot_events
from mappings.inbound.mes_b2mml.parts import Place, told_at, where
from mappings.inbound.mes_b2mml.parts import texts as texts_by_name
from mappings.inbound.payload import Payload, canonical_unit, load, present, wrong
from mappings.inbound.plant_time import from_iso

# Compared without case, blanks and signs: "Base Unit of Measure" is BaseUnitOfMeasure.
_UNIT_PROPERTIES = (
    "baseunitofmeasure",
    "baseuom",
    "baseunit",
    "stockunit",
    "stockuom",
    "primaryuom",
    "inventoryunit",
    "unitofmeasure",
    "uom",
)


class Definition(Payload):
    place = Place(required=True)
    id = Code()
    version = Code()
    description = Text()
    published = Code()
    start = Code()
    end = Code()
    properties = texts_by_name()
    assembly = fields.Integer(strict=True, load_default=0)


class Information(Payload):
    created = Code()
    definitions = parts(Definition, load_default=list)
    lots = parts(Lot, load_default=list)
    sub_lots = parts(SubLot, load_default=list)


_SCHEMA = Information()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    document = load(_SCHEMA, payload)
    created = document.get("created")
    events = [_item_changed(one, created, context) for one in document["definitions"]]
    for lot in document["lots"]:
        events += lot_events(lot, created, context)
    for sub_lot in document["sub_lots"]:
        events += sub_lot_events(sub_lot, None, created, context)
    if not events:
        reason = "the document tells of no item and no lot; discard it if that is right."
        raise MappingError("nothing_reported", reason)
    return events


def _item_changed(definition: Mapping[str, Any], created: str | None, context: InboundContext) -> Event:
    place = definition["place"]
    if not definition.get("id"):
        raise wrong("payload_invalid", f"{place} has no ID, which is the item's code", place)
    times = (definition.get("published"), created)
    assembly = definition["assembly"]
    return Event(
        "item.changed.v1",
        present(
            event_time=told_at(times, context, place),
            location=where({}, context),
            item=definition["id"],
            revision=definition.get("version"),
            effectivity=_effectivity(definition, context),
            description=definition.get("description") or definition["id"],
            base_uom=_base_unit(definition, context),
            note=f"Its assembly of {assembly} was passed over: B2MML tells no quantities there." if assembly else None,
        ),
    )


def _effectivity(definition: Mapping[str, Any], context: InboundContext) -> dict[str, str]:
    return {
        name: from_iso(definition[name], context.plant, definition["place"])
        for name in ("start", "end")
        if name in definition
    }


def _base_unit(definition: Mapping[str, Any], context: InboundContext) -> str:
    place = definition["place"]
    named = context.options.get("unit_property")
    wanted = (_bare(str(named)),) if named else _UNIT_PROPERTIES
    found = {_bare(name): value.strip() for name, value in definition["properties"].items()}
    unit = next((found[name] for name in wanted if found.get(name)), None)
    if unit is None:
        names = ", ".join(definition["properties"])[:120] or "none"
        reason = (
            f"{place} has no property {named or 'BaseUnitOfMeasure'}, so its base unit is not known; it has: {names}"
        )
        mend = "Name the property in the source's option unit_property in the topology file, then requeue"
        raise MappingError("unit_missing", f"{reason}. {mend}.", place)
    return canonical_unit(unit, context, place)


def _bare(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
