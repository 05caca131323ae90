"""``b2mml.ProductionPerformance`` and ``b2mml.OperationsPerformance``: what orders made, used and lost.

One document becomes, for each segment in its order, an issue, the scrap and a completion. Issue and completion carry
the transformation id of their order and segment. Segments of type Inventory become movements, see ``inventory.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.canonical.fields import BoundedList, Code
from mappings.canonical.parts import Part, parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.inventory import inventory_events
from mappings.inbound.mes_b2mml.parts import (
    CONSUMED,
    PRODUCED,
    Material,
    Place,
    is_scrap,
    levels,
    material_line,
    place_of,
    unsupported_use,
    where,
)
from mappings.inbound.payload import Payload, load, present, reason_code, storage_code, transformation_id, wrong
from mappings.inbound.plant_time import from_iso

_FINAL = frozenset({"Completed", "Closed"})


class Segment(Payload):
    place = Place(load_default="a SegmentResponse")
    id = Code()
    order = Code()
    time = Code()
    posted = Code()
    operations_type = Code()
    location = levels()
    materials = parts(Material, load_default=list)


class Response(Payload):
    place = Place(load_default="a ProductionResponse")
    order = Code()
    id = Code()
    state = Code()
    operations_type = Code()
    time = Code()
    location = levels()
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
        reason = "the document reports no material that was made, used, lost or moved; discard it if that is right."
        raise MappingError("nothing_reported", reason)
    return events


def _response_events(response: Mapping[str, Any], created: str | None, context: InboundContext) -> list[Event]:
    events: list[Event] = []
    kinds = set()
    for segment in response["segments"]:
        kind = _operations_type(segment, response)
        kinds.add(kind)
        if kind == "Inventory":
            moment = {"event_time": _time(segment, response, created, context), "site": context.plant.code}
            events += inventory_events(segment["materials"], moment, context)
        else:
            events += _segment_events(response, segment, created, context)
    if response.get("state") in _FINAL and kinds != {"Inventory"}:
        _close(events, response, created, context)
    return events


def _operations_type(segment: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    kind = str(segment.get("operations_type") or response.get("operations_type") or "Production")
    if kind not in ("Production", "Mixed", "Inventory"):
        raise MappingError(
            "operations_type_unsupported",
            f"{segment['place']} is about {kind}; only Production and Inventory are understood. "
            "Discard it, or have its type mapped and requeue.",
            segment["place"],
        )
    return kind


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
        raise wrong("payload_invalid", f"{response['place']} names no order", response["place"])
    return present(
        event_time=_time(segment, response, created, context),
        location=where({**response["location"], **segment.get("location", {})}, context),
        order_id=order,
        segment=segment.get("id"),
    )


def _time(segment: Mapping[str, Any], response: Mapping[str, Any], created: str | None, context: InboundContext) -> str:
    place = segment.get("place") or response["place"]
    times = (segment.get("time"), segment.get("posted"), response.get("time"), created)
    when = next((time for time in times if time), None)
    if when is None:
        raise wrong("time_missing", f"{place} has no ActualEndTime, EndTime or CreationDateTime", place)
    return from_iso(when, context.plant, place)


def _sort(material: Mapping[str, Any], found: _Sorted, context: InboundContext) -> None:
    use, reason = material.get("use"), material["properties"].get("ScrapReason")
    if use in context.options.get("ignored_uses", ()):
        return
    line = material_line(material, context)
    if line["quantity"]["value"] == "0":
        return
    place = material["place"]
    line |= present(storage=storage_code(place_of(material["location"]).get("storage"), context, place))
    if is_scrap(material):
        found.scrapped.append(line | {"reason": reason_code(reason or "Scrap", context, place)})
    elif use not in CONSUMED and use not in PRODUCED:
        raise unsupported_use(material, "whether it was made or used")
    elif reason:
        found.scrapped.append(line | {"reason": reason_code(reason, context, place)})
    else:
        (found.issued if use in CONSUMED else found.completed).append(line)


def _scrapped(head: Mapping[str, Any], lost: dict[str, Any]) -> dict[str, Any]:
    data = {**head, **lost}
    if storage := data.pop("storage", None):
        data["location"] = {**data["location"], "storage": storage}
    return data
