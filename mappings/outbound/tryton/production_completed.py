"""Completion: a Tryton production for each report, so partial completions of one order add up.

The final report names the order that it closes: where Tryton holds that order open, its record becomes the report's.

The order's number goes into the production's reference behind the posting key, where Tryton's users can search it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.tryton.places import consumes_by_bill, document, line, storage


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """None for a final report without outputs: Tryton ends no order by making nothing, so a planner closes it."""
    data = event.data
    if not data["outputs"]:
        return None
    default = data.get("location", {}).get("storage") or storage(context, "stock")
    return {
        **document("production", data, context),
        "inputs": [],
        "outputs": [line(output, default) for output in data["outputs"]],
        "explode": consumes_by_bill(context),
        **({"closes_order": data["order_id"]} if data["final"] else {}),
    }
