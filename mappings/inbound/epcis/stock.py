"""Stock that moves within the company, and stock that is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.context import Event
from mappings.formats.cbv import REASON
from mappings.inbound.epcis.events import Reported
from mappings.inbound.epcis.goods import Scope, lists_of, whole_goods
from mappings.inbound.epcis.heads import as_place, end_of_move, head
from mappings.inbound.epcis.items import place_of, place_unknown
from mappings.inbound.payload import reason_code, wrong

REASON_LENGTH = 200
DISPARITY = "mismatch_quantity"


def moved(event: Reported, scope: Scope) -> Sequence[Event]:
    """From the source location, else where it was read, to the destination location, else where it then is."""
    context = scope.context
    ends = {
        "from": _end(event, "sources", ("read_point",), scope),
        "to": _end(event, "destinations", ("biz_location",), scope),
    }
    if ends["from"] == ends["to"]:
        told = "the goods come from the place that they go to; it names its source and destination location"
        raise wrong("place_same", told, event.at("bizLocation.id"))
    data = {**event.times, "location": {"site": context.plant.code}}
    return [Event("inventory.moved.v1", data | line | ends) for line in whole_goods(event, lists_of(event), scope)]


def _end(event: Reported, side: str, points: Sequence[str], scope: Scope) -> Mapping[str, Any]:
    named = end_of_move(event, side, points)
    if named is None:
        path, word = ("sourceList", "come from") if side == "sources" else ("destinationList", "go to")
        point = "readPoint" if side == "sources" else "bizLocation"
        told = f"the event does not say where the goods {word}: it needs a location in {path}, or a {point}"
        raise wrong("place_missing", told, event.at(path))
    uri, place = named
    listed = place_of(uri, place, scope.context)
    end = as_place(listed) if listed is not None else {}
    if not end:
        raise place_unknown(uri, place)
    return end


def counted(event: Reported, scope: Scope) -> Sequence[Event]:
    """What lies there, one count a line; nothing of a class is a count as well. Where objects come or go with it and
    the disposition says that there was a disparity, the difference itself."""
    data = head(event, scope.context)
    if DISPARITY in event.dispositions and event.action in ("ADD", "DELETE"):
        return _adjusted(event, data, scope)
    return [
        Event("inventory.counted.v1", data | _as_count(line))
        for line in whole_goods(event, lists_of(event), scope, counted=True)
    ]


def _adjusted(event: Reported, data: Mapping[str, Any], scope: Scope) -> Sequence[Event]:
    told, place = event.raw.value.get(REASON, DISPARITY), event.at(REASON)
    if not isinstance(told, str) or not told.strip() or len(told) > REASON_LENGTH:
        raise wrong("payload_invalid", f"{place} must be text of 1 to {REASON_LENGTH} characters", place)
    why = {"reason": reason_code(told.strip(), scope.context, place)}
    sign = "-" if event.action == "DELETE" else ""
    lines = whole_goods(event, lists_of(event), scope)
    return [Event("inventory.adjusted.v1", {**data, **why, **as_difference(line, sign)}) for line in lines]


def as_difference(line: Mapping[str, Any], sign: str) -> dict[str, Any]:
    """A line of goods whose quantity comes, or goes (``-``)."""
    quantity = line["quantity"]
    rest = {name: value for name, value in line.items() if name != "quantity"}
    return rest | {"delta": quantity | {"value": sign + quantity["value"]}}


def _as_count(line: Mapping[str, Any]) -> dict[str, Any]:
    return {("counted" if name == "quantity" else name): value for name, value in line.items()}
