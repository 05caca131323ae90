"""``production.completed.v1``: put away what came off the line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import stock_storage, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """None where nothing came of the order: a final report may be without outputs."""
    data = event.data
    lines = [
        task_line(output, output["quantity"], context, to=with_values(storage=stock_storage(data, context, output)))
        for output in data["outputs"]
    ]
    if not lines:
        return None
    pick_up = data.get("location", {}).get("work_center")
    return task("put_away", data, context, lines) | with_values(order=data["order_id"], pick_up=pick_up)
