"""Purchase orders, receipts, shipments and what is on its way, as pages and API tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.projections.purchase_lists import PurchasePicture
from app.projections.shipment_lists import ShipmentPicture
from app.store.logistics_tables import PurchaseLine, Receipt, ShipmentLine, TransitLine
from mappings.units import plain


def told_purchase(picture: PurchasePicture, now: datetime) -> dict[str, Any]:
    """``late``: something is still open that was needed before now."""
    order = picture.order
    return {
        "purchase_order": order.code,
        "plant": order.plant,
        "status": picture.status.value,
        "supplier": order.supplier,
        "buyer": order.buyer,
        "ship_to": order.ship_to,
        "placed_at": order.placed_at,
        "need_by_at": order.need_by_at,
        "received_at": order.received_at,
        "late": order.is_open and order.need_by_at is not None and order.need_by_at < now,
        "message_id": order.message_id,
        "lines": [_told_line(line) for line in picture.lines],
    }


def _told_line(line: PurchaseLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "item": line.item,
        "uom": line.uom,
        "ordered": plain(line.ordered),
        "received": plain(line.received),
        "rejected": plain(line.rejected),
        "open": plain(line.open),
        "need_by_at": line.need_by_at,
        "ship_to": line.ship_to,
    }


def told_receipt(receipt: Receipt, supplier: str | None) -> dict[str, Any]:
    """Amounts are in ``uom``; what is neither accepted nor rejected awaits its inspection."""
    return {
        "id": receipt.id,
        "message_id": receipt.message_id,
        "event_index": receipt.event_index,
        "plant": receipt.plant,
        "document": {"type": receipt.document_type, "id": receipt.document_id, "line": receipt.line},
        "supplier": supplier,
        "item": receipt.item,
        "lot": receipt.lot or None,
        "storage": receipt.storage or None,
        "uom": receipt.uom,
        "received": plain(receipt.received),
        "accepted": plain(receipt.accepted),
        "rejected": plain(receipt.rejected),
        "reason": receipt.reason,
        "happened_at": receipt.happened_at,
        "entered_at": receipt.entered_at,
        "void_at": receipt.void_at,
    }


def told_shipment(picture: ShipmentPicture, way: Sequence[TransitLine] = ()) -> dict[str, Any]:
    """``way``: what is known of its way to an own plant, by the numbers of its lines."""
    shipment, on_way = picture.shipment, {line.line: line for line in way}
    return {
        "id": shipment.id,
        "message_id": shipment.message_id,
        "event_index": shipment.event_index,
        "plant": shipment.plant,
        "delivery_id": shipment.delivery_id,
        "state": picture.state.value,
        "carrier": shipment.carrier,
        "ship_from": shipment.ship_from,
        "ship_to": shipment.ship_to,
        "to_plant": shipment.to_plant or None,
        "packages": list(shipment.packages),
        "lines": [_told_shipped(line, on_way.get(line.number)) for line in picture.lines],
        "is_whole": picture.is_whole,
        "happened_at": shipment.happened_at,
        "arrived_at": shipment.arrived_at,
        "entered_at": shipment.entered_at,
        "void_at": shipment.void_at,
    }


def _told_shipped(line: ShipmentLine, way: TransitLine | None) -> dict[str, Any]:
    return {
        "item": line.item,
        "lot": line.lot or None,
        "serials": list(line.serials),
        "quantity": {"value": plain(line.quantity), "uom": line.uom},
        "sscc": line.sscc or None,
        "order_ref": line.order_ref,
        "arrived": None if way is None else plain(way.arrived),
    }


def told_transit(line: TransitLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "message_id": line.message_id,
        "event_index": line.event_index,
        "from_plant": line.from_plant or None,
        "to_plant": line.to_plant,
        "item": line.item,
        "lot": line.lot or None,
        "document": line.delivery_key,
        "order_ref": line.order_key or None,
        "sent": {"value": plain(line.quantity), "uom": line.uom},
        "arrived": {"value": plain(line.arrived), "uom": line.uom},
        "quantity": {"value": plain(max(line.on_way, Decimal(0))), "uom": line.uom},
        "since_at": line.happened_at,
    }
