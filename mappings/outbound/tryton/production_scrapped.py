"""Scrap: a transfer from the store into the plant's waste location."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.tryton.places import document, line, storage


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    begin = document("transfer", data, context)
    return {
        **begin,
        "note": f"{begin['note']} {data['reason']}",
        "from": data.get("location", {}).get("storage") or storage(context, "stock"),
        "to": storage(context, "scrap"),
        "lines": [line(data)],
    }
