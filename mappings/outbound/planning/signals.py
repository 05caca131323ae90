"""The shape of a supply signal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.context import OutboundContext
from mappings.outbound.lines import base_quantity, site, with_values
from mappings.units import Quantity


def signal(data: Mapping[str, Any], context: OutboundContext, changes: list[dict[str, Any]]) -> dict[str, Any]:
    """``signal_id`` lets planning know a repeat."""
    return {
        "signal": "supply",
        "signal_id": context.posting_key,
        "site": site(context),
        "order": data["order_id"],
        "occurred_at": data["event_time"],
        "changes": changes,
    }


def change(line: Mapping[str, Any], context: OutboundContext, sign: int, **fields: Any) -> dict[str, Any]:
    """One item's supply in its base unit: more where ``sign`` is 1, less where it is -1."""
    amount = base_quantity(line["item"], line["quantity"], context)
    signed = Quantity(amount.value * Decimal(sign), amount.uom)
    return with_values(item=line["item"], lot=line.get("lot"), delta=signed.wire(), **fields)
