"""Production orders as pages, API and commands tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.projections.order_lists import OrderPicture
from app.store.order_progress_tables import OrderReport
from mappings.units import plain


def told_order(picture: OrderPicture, now: datetime) -> dict[str, Any]:
    """Quantities are in ``uom``; those of the items each in its own unit."""
    order, progress = picture.order, picture.progress
    return {
        "plant": order.plant,
        "order_id": order.order_id,
        "status": picture.status.value,
        "item": order.item,
        "uom": order.uom,
        "planned": plain(order.planned),
        "completed": plain(picture.completed),
        "scrapped": plain(picture.scrapped),
        "remaining": plain(picture.remaining),
        "planned_start_at": order.planned_start_at,
        "planned_end_at": order.planned_end_at,
        "started_at": progress.started_at if progress else None,
        "reported_at": progress.reported_at if progress else None,
        "ended_at": progress.ended_at if progress else None,
        "late_seconds": picture.late_seconds(now),
        "released_message_id": order.released_message_id,
        "items": [
            {
                "item": one.item,
                "uom": one.uom,
                "produced": plain(one.produced),
                "consumed": plain(one.consumed),
                "scrapped": plain(one.scrapped),
            }
            for one in picture.items
        ],
    }


def told_report(report: OrderReport) -> dict[str, Any]:
    amount = None if report.quantity is None else {"value": plain(report.quantity), "uom": report.uom}
    return {
        "id": report.id,
        "message_id": report.message_id,
        "event_index": report.event_index,
        "kind": report.kind,
        "item": report.item,
        "quantity": amount,
        "lot": report.lot,
        "reason": report.reason,
        "happened_at": report.happened_at,
        "entered_at": report.entered_at,
        "void_at": report.void_at,
    }
