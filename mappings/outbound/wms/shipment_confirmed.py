"""``shipment.confirmed.v1``: the WMS takes what has left out of its book, package by package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    packed = [
        task_line(line, line["quantity"], context, sscc=package["sscc"])
        for package in data.get("packages", ())
        for line in package.get("lines", ())
    ]
    loose = [task_line(line, line["quantity"], context) for line in data.get("lines", ())]
    whom = with_values(delivery=data["delivery_id"], carrier=data.get("carrier"), ship_to=data.get("ship_to"))
    return task("ship", data, context, packed + loose) | whom
