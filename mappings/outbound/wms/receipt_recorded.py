"""``receipt.recorded.v1``: put away what was accepted. Rejected goods stay where the inspector has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import stock_storage, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    if data["accepted"]["value"] == "0":
        return None
    line = task_line(data, data["accepted"], context, to=with_values(storage=stock_storage(data, context)))
    return task("put_away", data, context, [line]) | {"purchase_order": dict(data["document_ref"])}
