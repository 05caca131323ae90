"""``inventory.reservation.ended.v1``: what is left of an allocation is free again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    named = {"reservation": data["reservation_id"], "because": data["ended"]}
    return task("deallocate", data, context, [task_line(data, data["quantity"], context)]) | named
