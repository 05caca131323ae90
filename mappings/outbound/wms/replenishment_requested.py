"""``replenishment.requested.v1``: bring an item to where it is used, by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import storage_code, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    ends = {"to": data["supply_to"]} | ({"from": data["supply_from"]} if data.get("supply_from") else {})
    places = {end: _place(place, context) for end, place in ends.items()}
    line = task_line(data, data["quantity"], context, **places)
    named = with_values(kanban=data["kanban_id"], need_by=data.get("need_by"))
    return task("replenish", data, context, [line]) | named


def _place(end: Mapping[str, Any], context: OutboundContext) -> dict[str, Any]:
    named = dict(end)
    return named | with_values(storage=storage_code(named.get("storage"), context))
