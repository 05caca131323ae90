"""Inventory: what plants have of items, where it is, and the messages that each number comes from."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.console.routing import VIEWER, page
from app.projections.effects import behind
from app.projections.hold_lists import open_holds_of_item
from app.projections.order_needs import orders_needing
from app.projections.reservation_lists import ReservationFilter, list_reservations
from app.projections.reservation_uses import ReservationState
from app.projections.shipment_lists import TransitFilter, list_transits
from app.projections.stock_lists import (
    ITEM_KEY,
    MovementFilter,
    StockFilter,
    list_items,
    list_movements,
    list_places,
    sums_of_item,
)
from app.reconcile.by_system import SystemFilter, list_by_system
from app.web import parameters
from app.web.holds import told_hold
from app.web.logistics import told_transit
from app.web.reconciliations import told_by_system
from app.web.reservations import told_reservation
from app.web.services import services
from app.web.stock import behind_told, told_items, told_movement, told_need, told_place

PAGE = 100
MOVEMENTS = 50


@page("GET", "/inventory", VIEWER)
def show_inventory() -> ResponseReturnValue:
    here, asked = services(), request.args
    plant, item = parameters.text(asked, "plant"), parameters.text(asked, "item")
    after = parameters.after(asked, len(ITEM_KEY))
    with here.store.reading() as session:
        rows = list_items(session, plant, item, PAGE + 1, after)
        late = behind_told(behind(session))
        key = tuple(getattr(rows[PAGE - 1], column.key) for column in ITEM_KEY) if len(rows) > PAGE else None
        told = told_items(session, rows[:PAGE])
    return render_template(
        "inventory.html",
        rows=told,
        behind=late,
        more=parameters.next_after(key) if key else None,
        plants=list(here.topology.plants),
        plant=plant,
        item=item,
    )


def _kept(session: Session, plant: str, item: str) -> list[dict[str, Any]]:
    chosen = ReservationFilter(plant=plant, item=item, state=ReservationState.OPEN.value)
    return [told_reservation(row) | {"uses": []} for row in list_reservations(session, chosen, PAGE)]


@page("GET", "/inventory/<plant>/<path:item>", VIEWER)
def show_item_stock(plant: str, item: str) -> ResponseReturnValue:
    """One item in one plant: its places, what keeps it from being used, and its last movements with the messages that
    they come from."""
    here, asked = services(), request.args
    chosen = StockFilter(plant=parameters.named(plant), item=parameters.named(item))
    before = parameters.whole_number(asked, "before")
    on_way, of_systems = TransitFilter(to_plant=plant, item=item), SystemFilter(plant, item)
    with here.store.reading() as session:
        movements = list_movements(session, MovementFilter(chosen, void=True), MOVEMENTS + 1, before)
        places = list_places(session, chosen, PAGE + 1)
        values = {
            "sums": told_items(session, sums_of_item(session, plant, item)),
            "holds": [told_hold(row) for row in open_holds_of_item(session, plant, item, PAGE)],
            "kept": _kept(session, plant, item),
            "needs": [told_need(row) for row in orders_needing(session, plant, item, PAGE)],
            "places": [told_place(row) for row in places[:PAGE]],
            "more_places": len(places) > PAGE,
            "transits": [told_transit(row) for row in list_transits(session, on_way, PAGE)],
            "said": next((told_by_system(row) for row in list_by_system(session, here.topology, of_systems, 1)), None),
            "movements": [told_movement(*row) for row in movements[:MOVEMENTS]],
            "behind": behind_told(behind(session)),
        }
        older = movements[MOVEMENTS - 1][0].id if len(movements) > MOVEMENTS else None
    return render_template(
        "item_stock.html",
        most=PAGE,
        **values,
        plant=plant,
        item=item,
        older=parameters.next_page(older),
        first_page=before is None,
    )
