"""``inventory.adjusted.v1``: the WMS's book follows by so much, up or down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import stock_storage, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    line = task_line(data, data["delta"], context, at=with_values(storage=stock_storage(data, context)))
    ref = with_values(reason=data["reason"], document=data.get("document_ref"))
    return task("adjustment", data, context, [line]) | ref
