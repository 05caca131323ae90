"""Who has promised stock that is not free, for whoever is told that there is not enough."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.processes.facts import Picture
from app.projections.order_needs import orders_needing
from app.store.ledger_tables import NOWHERE
from mappings.units import plain

TOLD_MOST = 20


def told_obstacles(session: Session, picture: Picture, free: Decimal) -> dict[str, Any]:
    """What there is of the item, and what keeps how much of it, so many of each at most: the largest reservations,
    the first orders."""
    everywhere = (NOWHERE, NOWHERE)
    uom = picture.place.uom
    kept = sorted((one for one in picture.kept if one.left), key=lambda one: (-one.left, one.id))
    place = picture.place
    needs = orders_needing(session, place.plant, place.item, TOLD_MOST)
    return {
        "available": plain(max(free, Decimal(0))),
        "uom": uom,
        "unrestricted": plain(picture.unrestricted[everywhere]),
        "on_hold": plain(picture.held[everywhere]),
        "needed_by_orders": plain(picture.needs_of_all),
        "held_by": [
            {
                "reservation": one.code,
                "order_id": one.order_id,
                "delivery_id": one.delivery_id,
                "quantity": plain(one.left),
            }
            for one in kept[:TOLD_MOST]
        ],
        "orders": [{"order_id": one.order_id, "quantity": plain(one.quantity)} for one in needs if one.uom == uom],
        "on_its_way_out": [
            {"message_id": use.message_id, "order_id": use.order_id, "quantity": plain(use.quantity)}
            for use in picture.leaving[:TOLD_MOST]
        ],
    }
