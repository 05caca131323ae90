"""``inventory.reserved.v1``: the WMS keeps stock from being picked for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import storage_code, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """A reservation that names no storage location is one of any: the plant's own is not put in its place."""
    data = event.data
    storage = storage_code(data.get("location", {}).get("storage"), context)
    line = task_line(data, data["quantity"], context, **({"from": {"storage": storage}} if storage else {}))
    named = with_values(
        reservation=data["reservation_id"],
        order=data.get("order_id"),
        delivery=data.get("delivery_id"),
        until=data.get("until"),
    )
    return task("allocate", data, context, [line]) | named
