"""``inventory.moved.v1``: the WMS moves its book, or its drivers move the stock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import storage_code, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    places = {end: _place(data[end], context) for end in ("from", "to")}
    return task("transfer", data, context, [task_line(data, data["quantity"], context, **places)])


def _place(end: Mapping[str, Any], context: OutboundContext) -> dict[str, Any]:
    named = dict(end)
    return named | with_values(storage=storage_code(named.get("storage"), context))
