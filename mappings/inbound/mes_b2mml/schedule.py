"""``b2mml.ProductionSchedule`` and ``b2mml.OperationsSchedule``: each request is an order that is released.

Segments are listed outer before inner, whichever way they nest; one without a name only brackets its materials.
What is planned to be made is what the segments produce and none of them consumes. A requirement without a MaterialUse
(the schema does not ask for one) plans nothing: senders list there what lies ready. It is passed over, and the event's
note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from mappings.canonical.fields import BoundedList, Code, Text
from mappings.canonical.parts import Part, parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.parts import (
    CONSUMED,
    MAIN_PRODUCED,
    PRODUCED,
    Material,
    Place,
    levels,
    material_line,
    place_of,
    told_at,
    unsupported_use,
    where,
)
from mappings.inbound.payload import Payload, load, present, wrong
from mappings.inbound.plant_time import from_iso
from mappings.units import Quantity, plain, quantity

# Not yet begun, and nothing against it. No state at all is how V0401 says it: its schedules are what is to be made.
_RELEASED = frozenset({"Released", "Waiting", "Ready"})
# Uses of the standard that take nothing from stock and bring nothing to it.
_PLANS_NOTHING = frozenset(
    {"Consumable", "Sample", "Resurned Sample", "Returned Sample", "Retained Sample", "Carrier", "Returned Carrier"}
)
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
        reason = "the schedule holds no request in a state that is not ignored; discard it if that is right."
        raise MappingError("nothing_reported", reason)
    return [_released(request, event_time, context) for request in requests]


def _released(request: Mapping[str, Any], event_time: str, context: InboundContext) -> Event:
    if not request.get("id"):
        raise wrong("payload_invalid", f"{request['place']} has no ID, which is the order's number", request["place"])
    _check_state(request)
    _check_types(request)
    materials = list(_materials(request, context))
    item, planned = _product(request, materials, context)
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


def _materials(request: Mapping[str, Any], context: InboundContext) -> Iterator[dict[str, Any]]:
    """Every requirement that plans something."""
    ignored = context.options.get("ignored_uses", ())
    for segment in request["segments"]:
        for material in segment["materials"]:
            use = material.get("use")
            if use is None or use in _PLANS_NOTHING or use in ignored:
                continue
            if use not in CONSUMED and use not in PRODUCED:
                raise unsupported_use(material, "whether it is to be made or used")
            yield material | {"segment": segment["place"]}


def _product(
    request: Mapping[str, Any], materials: Sequence[Mapping[str, Any]], context: InboundContext
) -> tuple[str, dict[str, str]]:
    """The item to be made and how much: made in a segment and used in none; two segments may say the same."""
    used = {material.get("item") for material in materials if material["use"] in CONSUMED}
    made = [one for one in materials if one["use"] in MAIN_PRODUCED and one.get("item") not in used]
    if not made:
        reason = f"{request['place']} has no MaterialRequirement with the use Produced, so nobody knows what to make"
        raise wrong("product_missing", reason, request["place"])
    amounts: dict[str, list[Quantity]] = {}
    for material in made:
        line = material_line(material, context)
        if line["item"] != made[0]["item"]:
            reason = f"{material['place']} is to be made beside {made[0]['item']}, and an order makes one item"
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
