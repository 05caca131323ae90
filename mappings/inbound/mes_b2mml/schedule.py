"""``b2mml.ProductionSchedule`` and ``b2mml.OperationsSchedule``: each request is an order that is released.

Segments are listed outer before inner, whichever way they nest; one without a name only brackets its materials.
What is planned to be made is what the segments produce and none of them consumes. A requirement without a MaterialUse
(the schema does not ask for one) plans nothing: senders list there what lies ready. It is passed over, and the event's
note says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.canonical.fields import BoundedList, Code, Text
from mappings.canonical.parts import Part, parts
from mappings.context import Event, InboundContext, MappingError, NothingToDo
from mappings.inbound.mes_b2mml.parts import (
    CONSUMED,
    Material,
    Place,
    levels,
    material_line,
    place_of,
    told_at,
    where,
)
from mappings.inbound.mes_b2mml.planned import planned_materials, product
from mappings.inbound.payload import Payload, load, present, wrong
from mappings.inbound.plant_time import from_iso

# Not yet begun, and nothing against it. No state at all is how V0401 says it: its schedules are what is to be made.
_RELEASED = frozenset({"Released", "Waiting", "Ready"})
_NOTED_MOST = 5


class Segment(Payload):
    place = Place(required=True)
    id = Code()
    description = Text()
    operations_type = Code()
    start = Code()
    end = Code()
    location = levels()
    materials = parts(Material, load_default=list)


class Request(Payload):
    place = Place(required=True)
    id = Code()
    state = Code()
    operations_type = Code()
    start = Code()
    end = Code()
    location = levels()
    segments = BoundedList(Part(Segment), load_default=list)


class Schedule(Payload):
    created = Code()
    published = Code()
    requests = parts(Request, low=1, required=True)


_SCHEMA = Schedule()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    schedule = load(_SCHEMA, payload)
    event_time = told_at((schedule.get("published"), schedule.get("created")), context, "PublishedDate")
    ignored = context.options.get("ignored_states", ())
    requests = [request for request in schedule["requests"] if request.get("state") not in ignored]
    if not requests:
        return NothingToDo("every request of the schedule is in a state that the source's option ignored_states names.")
    return [_released(request, event_time, context) for request in requests]


def _released(request: Mapping[str, Any], event_time: str, context: InboundContext) -> Event:
    if not request.get("id"):
        raise wrong("payload_invalid", f"{request['place']} has no ID, which is the order's number", request["place"])
    _check_state(request)
    _check_types(request)
    materials = list(planned_materials(request["segments"], context))
    item, planned = product(request["place"], materials, context)
    return Event(
        "production.order.released.v1",
        present(
            event_time=event_time,
            location=where(request["location"], context),
            order_id=request["id"],
            item=item,
            quantity=planned,
            **_span(request, context),
            segments=[_segment(segment) for segment in request["segments"] if segment.get("id")],
            materials=_needed(materials, context),
            note=_note(request),
        ),
    )


def _needed(materials: Sequence[Mapping[str, Any]], context: InboundContext) -> list[dict[str, Any]]:
    lines = [material_line(one, context) for one in materials if one["use"] in CONSUMED]
    return [line for line in lines if line["quantity"]["value"] != "0"]


def _check_state(request: Mapping[str, Any]) -> None:
    state = request.get("state", "Released")
    if state not in _RELEASED:
        reason = f"{request['place']} is in the state {state!r}; only an order that is released is taken"
        mend = "List the state in the source's option ignored_states in the topology file, then requeue; or discard it."
        raise MappingError("request_state_unsupported", f"{reason}. {mend}", request["place"])


def _check_types(request: Mapping[str, Any]) -> None:
    for one in (request, *request["segments"]):
        kind = one.get("operations_type", "Production")
        if kind not in ("Production", "Mixed"):
            reason = f"{one['place']} is about {kind}; only Production is understood in a schedule"
            mend = "Discard it, or have its type mapped and requeue."
            raise MappingError("operations_type_unsupported", f"{reason}. {mend}", one["place"])


def _span(request: Mapping[str, Any], context: InboundContext) -> dict[str, str]:
    """The request's own times, else from its first segment's to its last one's."""
    found = {}
    for name, choose in (("start", min), ("end", max)):
        if name in request:
            found[name] = from_iso(request[name], context.plant, f"{request['place']}/{name.capitalize()}Time")
        elif times := [from_iso(one[name], context.plant, one["place"]) for one in request["segments"] if name in one]:
            found[name] = choose(times)
    return found


def _segment(segment: Mapping[str, Any]) -> dict[str, Any]:
    found = place_of(segment["location"])
    return present(id=segment["id"], description=segment.get("description"), work_center=found.get("work_center"))


def _note(request: Mapping[str, Any]) -> str | None:
    silent = [one["place"] for segment in request["segments"] for one in segment["materials"] if "use" not in one]
    if not silent:
        return None
    more = f" and {len(silent) - _NOTED_MOST} more" if len(silent) > _NOTED_MOST else ""
    return f"No MaterialUse, so not planned: {'; '.join(silent[:_NOTED_MOST])}{more}."
