"""``production.order.released.v1``: make this, from these materials, in these operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import base_quantity, item_facts, site, with_values


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """Times stay in UTC with their ``Z``; the MES shows them in its plant's own."""
    data = event.data
    return with_values(
        order_number=data["order_id"],
        external_id=context.posting_key,
        site=site(context),
        item=data["item"],
        description=item_facts(data["item"], context).description,
        lot=data.get("lot"),
        planned_quantity=base_quantity(data["item"], data["quantity"], context).wire(),
        earliest_start=data.get("start"),
        latest_end=data.get("end"),
        operations=[
            with_values(number=segment["id"], text=segment.get("description"), work_center=segment.get("work_center"))
            for segment in data.get("segments", ())
        ],
        materials=[_material(line, context) for line in data.get("materials", ())],
    )


def _material(line: Mapping[str, Any], context: OutboundContext) -> dict[str, Any]:
    amount = base_quantity(line["item"], line["quantity"], context)
    return with_values(item=line["item"], lot=line.get("lot"), quantity=amount.wire())
