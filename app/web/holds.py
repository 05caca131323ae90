"""Quality holds as pages and API tell them."""

from __future__ import annotations

from typing import Any

from app.store.availability_tables import Hold
from mappings.units import plain


def told_hold(hold: Hold) -> dict[str, Any]:
    """What the event did not name is null: a hold without a lot is one of every lot."""
    return {
        "id": hold.id,
        "message_id": hold.message_id,
        "event_index": hold.event_index,
        "plant": hold.plant,
        "item": hold.item or None,
        "lot": hold.lot or None,
        "serial": hold.serial or None,
        "status": hold.status,
        "reason": hold.reason,
        "inspection_ref": hold.inspection_ref,
        "quantity": None if hold.quantity is None else {"value": plain(hold.quantity), "uom": hold.uom},
        "open": hold.is_open,
        "happened_at": hold.happened_at,
        "entered_at": hold.entered_at,
        "void_at": hold.void_at,
    }
