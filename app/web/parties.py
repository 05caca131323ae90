"""What a supplier and a customer are told: their own, without ids of messages, storage locations or others' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from app.access.identity import current_identity
from app.projections.customer_view import Lot, Made
from app.store.availability_tables import Hold
from app.store.logistics_tables import PurchaseLine, PurchaseOrder, Receipt, Shipment, ShipmentLine
from app.web import parameters
from app.web.problems import FieldError, Problem
from mappings.units import plain


def asking_party(kind: str) -> str:
    """The code of the party whose view is asked for: the key's own, or the one that an account names in the query."""
    party = current_identity().party
    named = parameters.text(request.args, kind, 80)
    if party is not None:
        if named is not None and named != party.party:
            raise Problem(403, "forbidden", f"This key is for {kind} {party.party} only.")
        return party.party
    if named is None:
        reason = f"must name the {kind} that is looked at"
        raise Problem(422, "refused", f"Query parameter {kind} {reason}.", [FieldError(reason, place=f"query {kind}")])
    return named


def told_purchase_order(order: PurchaseOrder, lines: Sequence[PurchaseLine]) -> dict[str, Any]:
    return {
        "purchase_order": order.code,
        "plant": order.plant,
        "buyer": order.buyer,
        "open": order.is_open,
        "placed_at": order.placed_at,
        "need_by_at": order.need_by_at,
        "received_at": order.received_at,
        "lines": [
            {
                "line": line.line,
                "item": line.item,
                "uom": line.uom,
                "ordered": plain(line.ordered),
                "received": plain(line.received),
                "rejected": plain(line.rejected),
                "open": plain(line.open),
                "need_by_at": line.need_by_at,
            }
            for line in lines
        ],
    }


def told_receipt(row: Receipt) -> dict[str, Any]:
    return {
        "purchase_order": row.document_id,
        "line": row.line,
        "plant": row.plant,
        "item": row.item,
        "lot": row.lot or None,
        "uom": row.uom,
        "received": plain(row.received),
        "accepted": plain(row.accepted),
        "rejected": plain(row.rejected),
        "reason": row.reason,
        "received_at": row.happened_at,
    }


def told_own_hold(hold: Hold, item: str) -> dict[str, Any]:
    return {
        "plant": hold.plant,
        "item": item,
        "lot": hold.lot,
        "serial": hold.serial or None,
        "status": hold.status,
        "reason": hold.reason,
        "quantity": None if hold.quantity is None else {"value": plain(hold.quantity), "uom": hold.uom},
        "held_at": hold.happened_at,
    }


def told_delivery_of(row: Shipment, lines: Sequence[ShipmentLine], made: Mapping[Lot, Made]) -> dict[str, Any]:
    """A milestone that nobody has told, or of which it is not known when, has no instant."""
    known = [made[line.item, line.lot] for line in lines if (line.item, line.lot) in made]
    released = [one.released_at for one in known if one.released_at is not None]
    produced = [one.produced_at for one in known if one.produced_at is not None]
    return {
        "delivery_id": row.delivery_id,
        "plant": row.plant,
        "carrier": row.carrier,
        "packages": list(row.packages),
        "milestones": [
            {"milestone": "released", "reached": bool(known), "at": min(released) if released else None},
            {"milestone": "produced", "reached": bool(produced), "at": max(produced) if produced else None},
            {"milestone": "packed", "reached": bool(row.packages), "at": None},
            {"milestone": "shipped", "reached": True, "at": row.happened_at},
        ],
        "lines": [
            {
                "item": line.item,
                "quantity": {"value": plain(line.quantity), "uom": line.uom},
                "lot": line.lot or None,
                "serials": list(line.serials),
                "sscc": line.sscc or None,
            }
            for line in lines
        ],
    }
