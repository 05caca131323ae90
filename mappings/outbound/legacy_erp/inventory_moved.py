"""``inventory.moved.v1``: one row of the movement file, in the columns and habits of the system that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings.context import Event, OutboundContext
from mappings.options import MOVEMENT_TYPES
from mappings.outbound.lines import base_quantity, storage_code
from mappings.units import plain

_TRANSFER = "311"


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """Every column is always there, empty where it does not apply: the reader counts columns, it knows no names."""
    data = event.data
    amount = base_quantity(data["item"], data["quantity"], context)
    moment = datetime.fromisoformat(data["event_time"]).astimezone(ZoneInfo(context.plant.timezone))
    row = {
        "reference": context.posting_key,
        "plant": context.plant.code,
        "movement": context.crosswalks.becomes(MOVEMENT_TYPES, _TRANSFER, "movement"),
        "item_no": data["item"],
        "quantity": plain(amount.value).replace(".", ","),
        "unit": amount.uom,
        "from_storage": storage_code(data["from"].get("storage"), context) or "",
        "from_bin": data["from"].get("bin", ""),
        "from_status": data["from"].get("stock_status", ""),
        "to_site": data["to"].get("site", ""),
        "to_storage": storage_code(data["to"].get("storage"), context) or "",
        "to_bin": data["to"].get("bin", ""),
        "to_status": data["to"].get("stock_status", ""),
        "lot_no": data.get("lot", ""),
        "posted_on": moment.strftime("%d.%m.%Y"),
        "posted_time": moment.strftime("%H%M%S"),
    }
    return {"rows": [row]}
