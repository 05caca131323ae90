"""``b2mml.ProductionPerformance`` and ``b2mml.OperationsPerformance``: what orders made, used and lost.

One document becomes, for each segment in its order, an issue, the scrap and a completion. Issue and completion carry
the transformation id of their order and segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import BoundedList, Code, Flag
from mappings.canonical.parts import Part, parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.payload import (
    Payload,
    amount,
    load,
    present,
    reason_code,
    storage_code,
    transformation_id,
    wrong,
)
from mappings.inbound.plant_time import from_iso

_CONSUMED = frozenset({"Consumed", "Material Consumed"})
_PRODUCED = frozenset({"Produced", "Material Produced", "Yield Produced", "Co-product Produced", "By-product Produced"})
_FINAL = frozenset({"Completed", "Closed"})
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


class QuantityValue(Payload):
    value = Code(required=True)
    uom = Code(required=True)


class Material(Payload):
    place = Code(required=True, max_length=200)
    item = Code(required=True)
    lots = BoundedList(Code(), high=1, load_default=list)
    sub_lot = Code()
    use = Code(required=True)
    other_use = Code()
    location = fields.Dict(keys=Code(), values=Code(), load_default=dict)
    quantities = parts(QuantityValue, low=1, required=True)
    assembly = Flag(load_default=False)
    properties = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class Segment(Payload):
    id = Code()
    order = Code()
    time = Code()
    posted = Code()
    location = fields.Dict(keys=Code(), values=Code(), load_default=dict)
    materials = parts(Material, load_default=list)


class Response(Payload):
    order = Code()
    id = Code()
    state = Code()
    operations_type = Code()
    time = Code()
    location = fields.Dict(keys=Code(), values=Code(), load_default=dict)
    segments = BoundedList(Part(Segment), load_default=list)


class Performance(Payload):
    created = Code()
    responses = parts(Response, low=1, required=True)


_SCHEMA = Performance()


@dataclass
class _Sorted:
    """The materials of one segment by what became of them."""

    issued: list[dict[str, Any]] = field(default_factory=list)
    completed: list[dict[str, Any]] = field(default_factory=list)
    scrapped: list[dict[str, Any]] = field(default_factory=list)


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    document = load(_SCHEMA, payload)
    events: list[Event] = []
    for response in document["responses"]:
        events += _response_events(response, document.get("created"), context)
    if not events:
        reason = "the document reports no material that was made, used or lost; discard it if that is right."
        raise MappingError("nothing_reported", reason)
    return events


def _response_events(response: Mapping[str, Any], created: str | None, context: InboundContext) -> list[Event]:
    if response.get("operations_type", "Production") not in ("Production", "Mixed"):
        raise MappingError(
            "operations_type_unsupported",
            f"the response is about {response['operations_type']}; only Production is understood. "
            "Discard it, or have its type mapped and requeue.",
            "OperationsType",
        )
    events: list[Event] = []
    for segment in response["segments"]:
        events += _segment_events(response, segment, created, context)
    if response.get("state") in _FINAL:
        _close(events, response, created, context)
    return events


def _close(events: list[Event], response: Mapping[str, Any], created: str | None, context: InboundContext) -> None:
    """The response's last event says that the order is done, even where nothing good came of it."""
    if events and events[-1].type == "production.completed.v1":
        events[-1] = Event(events[-1].type, {**events[-1].data, "final": True})
        return
    segment = response["segments"][-1] if response["segments"] else {}
    head = _head(response, segment, created, context)
    events.append(Event("production.completed.v1", head | {"outputs": [], "final": True}))


def _segment_events(
    response: Mapping[str, Any], segment: Mapping[str, Any], created: str | None, context: InboundContext
) -> list[Event]:
    sorted_materials = _Sorted()
    for material in segment["materials"]:
        _sort(material, sorted_materials, context)
    if sorted_materials == _Sorted():
        return []
    head = _head(response, segment, created, context)
    transformation = transformation_id(context, head["order_id"], head.get("segment"))
    events = []
    if sorted_materials.issued:
        issued = head | {"transformation_id": transformation, "components": sorted_materials.issued}
        events.append(Event("material.issued.v1", issued))
    events += [Event("production.scrapped.v1", _scrapped(head, lost)) for lost in sorted_materials.scrapped]
    if sorted_materials.completed:
        made = head | {"transformation_id": transformation, "outputs": sorted_materials.completed, "final": False}
        events.append(Event("production.completed.v1", made))
    return events


def _head(
    response: Mapping[str, Any], segment: Mapping[str, Any], created: str | None, context: InboundContext
) -> dict[str, Any]:
    order = segment.get("order") or response.get("order") or response.get("id")
    if not order:
        raise wrong("payload_invalid", "a response names no order", "ProductionRequestID")
    times = (segment.get("time"), segment.get("posted"), response.get("time"), created)
    when = next((time for time in times if time), None)
    if when is None:
        reason = f"order {order} has no ActualEndTime, EndTime or CreationDateTime"
        raise wrong("time_missing", reason, "ActualEndTime")
    return present(
        event_time=from_iso(when, context.plant, "ActualEndTime"),
        location={"site": context.plant.code} | _location({**response["location"], **segment.get("location", {})}),
        order_id=order,
        segment=segment.get("id"),
    )


def _location(levels: Mapping[str, str]) -> dict[str, str]:
    return {_LEVELS[level]: code for level, code in levels.items() if level in _LEVELS}


def _sort(material: Mapping[str, Any], found: _Sorted, context: InboundContext) -> None:
    place, use, reason = material["place"], material["use"], material["properties"].get("ScrapReason")
    if use in context.options.get("ignored_uses", ()):
        return
    quantity = _quantity(material, context)
    if quantity["value"] == "0":
        return
    where = _location(material["location"])
    line = present(item=material["item"], lot=next(iter(material["lots"]), None), sub_lot=material.get("sub_lot"))
    line |= {"quantity": quantity} | present(storage=storage_code(where.get("storage"), context, place))
    if use == "Other" and (material.get("other_use") or "").casefold() in ("scrap", "scrapped"):
        found.scrapped.append(line | {"reason": reason_code(reason or "Scrap", context, place)})
    elif use not in _CONSUMED and use not in _PRODUCED:
        reason = f"{place} has the use {use!r}, which reports nothing that is posted"
        mend = "List it in the source's option ignored_uses in the topology file, then requeue."
        raise MappingError("material_use_unsupported", f"{reason}. {mend}", place)
    elif reason:
        found.scrapped.append(line | {"reason": reason_code(reason, context, place)})
    else:
        (found.issued if use in _CONSUMED else found.completed).append(line)


def _quantity(material: Mapping[str, Any], context: InboundContext) -> dict[str, str]:
    place = material["place"]
    if len(material["quantities"]) != 1:
        raise wrong("quantity_ambiguous", f"{place} has several quantities, and one is needed", place)
    if material["assembly"]:
        raise wrong("assembly_unsupported", f"{place} lists an assembly; its parts are sent as materials", place)
    quantity = material["quantities"][0]
    return amount(quantity["value"], quantity["uom"], context, place, "not_negative")


def _scrapped(head: Mapping[str, Any], lost: dict[str, Any]) -> dict[str, Any]:
    data = {**head, **lost}
    if storage := data.pop("storage", None):
        data["location"] = {**data["location"], "storage": storage}
    return data
