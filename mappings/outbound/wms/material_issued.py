"""``material.issued.v1``: the WMS takes what an order has consumed out of its book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import stock_storage, with_values
from mappings.outbound.wms.tasks import task, task_line


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    lines = [
        task_line(line, line["quantity"], context, **{"from": {"storage": storage}} if storage else {})
        for line in data["components"]
        for storage in (stock_storage(data, context, line),)
    ]
    named = with_values(order=data["order_id"], segment=data.get("segment"))
    return task("goods_issue", data, context, lines) | named
