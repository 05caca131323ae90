"""Reservations as pages, API and commands tell them."""

from __future__ import annotations

from typing import Any

from app.store.reservation_tables import Reservation, ReservationUse
from mappings.units import plain


def told_reservation(row: Reservation) -> dict[str, Any]:
    """What is null was not said: a reservation without a lot is one of any lot."""
    return {
        "reservation_id": row.code,
        "state": row.state,
        "plant": row.plant,
        "item": row.item,
        "lot": row.lot or None,
        "storage": row.storage or None,
        "uom": row.uom,
        "quantity": plain(row.quantity),
        "used": plain(row.used),
        "remaining": plain(row.quantity - row.used) if row.state == "open" else "0",
        "order_id": row.order_id,
        "delivery_id": row.delivery_id,
        "reason": row.reason,
        "actor": row.actor,
        "source": row.source,
        "made_at": row.made_at,
        "until": row.expires_at,
        "ended_at": row.ended_at,
        "message_id": row.message_id,
        "ended_message_id": row.ended_message_id,
    }


def told_use(use: ReservationUse) -> dict[str, Any]:
    return {"message_id": use.message_id, "quantity": plain(use.quantity), "happened_at": use.happened_at}
