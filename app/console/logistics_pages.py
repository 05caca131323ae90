"""Purchase orders, receipts and shipments: what is to come, what came, what left and what is on its way."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.projections.purchase_lists import (
    PurchaseFilter,
    PurchaseStatus,
    ReceiptFilter,
    list_purchases,
    list_receipts,
    suppliers_of,
)
from app.projections.shipment_lists import ShipmentFilter, find_shipment, list_shipments
from app.web import parameters
from app.web.logistics import told_purchase, told_receipt, told_shipment
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

PAGE = 100


@page("GET", "/purchase-orders", VIEWER)
def show_purchase_orders() -> ResponseReturnValue:
    here, asked = services(), request.args
    statuses = [one.value for one in PurchaseStatus]
    status, late, now = parameters.word(asked, "status", statuses), parameters.is_set(asked, "late"), here.clock()
    chosen = PurchaseFilter(
        code=parameters.text(asked, "order"),
        plant=parameters.text(asked, "plant"),
        supplier=parameters.text(asked, "supplier"),
        item=parameters.text(asked, "item"),
        status=PurchaseStatus(status) if status else None,
        late_at=now if late else None,
    )
    after = parameters.after(asked, 1)
    with here.store.reading() as session:
        rows = list_purchases(session, chosen, PAGE + 1, after[0] if after else None)
        values = {"orders": [told_purchase(row, now) for row in rows[:PAGE]], "behind": told_behind(session)}
        more = parameters.next_after((rows[PAGE - 1].order.code,)) if len(rows) > PAGE else None
    plants = list(here.topology.plants)
    return render_template(
        "purchase_orders.html", **values, more=more, plants=plants, statuses=statuses, chosen=chosen, late=late
    )


@page("GET", "/purchase-orders/<path:code>", VIEWER)
def show_purchase_order(code: str) -> ResponseReturnValue:
    here, before = services(), parameters.whole_number(request.args, "before")
    with here.store.reading() as session:
        rows = list_purchases(session, PurchaseFilter(code=parameters.named(code)), 1)
        if not rows:
            raise Problem(404, "not_found", f"No message has told of purchase order {code} yet.")
        receipts = list_receipts(session, ReceiptFilter(purchase_order=code), PAGE + 1, before, void=True)
        values = {
            "order": told_purchase(rows[0], here.clock()),
            "receipts": [told_receipt(row, None) for row in receipts[:PAGE]],
            "behind": told_behind(session),
        }
        older = receipts[PAGE - 1].id if len(receipts) > PAGE else None
    older_page = parameters.next_page(older)
    return render_template("purchase_order.html", **values, older=older_page, first_page=before is None)


@page("GET", "/receipts", VIEWER)
def show_receipts() -> ResponseReturnValue:
    here, asked = services(), request.args
    chosen = ReceiptFilter(
        plant=parameters.text(asked, "plant"),
        item=parameters.text(asked, "item"),
        lot=parameters.text(asked, "lot"),
        document_id=parameters.text(asked, "document"),
    )
    before = parameters.whole_number(asked, "before")
    with here.store.reading() as session:
        rows = list_receipts(session, chosen, PAGE + 1, before, void=True)
        suppliers = suppliers_of(session, {row.document_id for row in rows if row.document_type == "purchase_order"})
        told = [told_receipt(row, suppliers.get(row.document_id)) for row in rows[:PAGE]]
        behind, older = told_behind(session), rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "receipts.html",
        receipts=told,
        behind=behind,
        chosen=chosen,
        plants=list(here.topology.plants),
        older=parameters.next_page(older),
        first_page=before is None,
    )


@page("GET", "/shipments", VIEWER)
def show_shipments() -> ResponseReturnValue:
    here, asked = services(), request.args
    in_transit = parameters.is_set(asked, "in_transit")
    chosen = ShipmentFilter(
        plant=parameters.text(asked, "plant"),
        delivery_id=parameters.text(asked, "delivery_id"),
        ship_to=parameters.text(asked, "ship_to"),
        item=parameters.text(asked, "item"),
        lot=parameters.text(asked, "lot"),
        sscc=parameters.text(asked, "sscc"),
        in_transit=in_transit,
        void=not in_transit,
    )
    before = parameters.whole_number(asked, "before")
    with here.store.reading() as session:
        rows = list_shipments(session, chosen, PAGE + 1, before)
        told = [told_shipment(row) for row in rows[:PAGE]]
        behind, older = told_behind(session), rows[PAGE - 1].shipment.id if len(rows) > PAGE else None
    return render_template(
        "shipments.html",
        shipments=told,
        behind=behind,
        chosen=chosen,
        plants=list(here.topology.plants),
        older=parameters.next_page(older),
        first_page=before is None,
    )


@page("GET", "/shipments/<int:shipment_id>", VIEWER)
def show_shipment(shipment_id: int) -> ResponseReturnValue:
    with services().store.reading() as session:
        found = find_shipment(session, shipment_id) if shipment_id <= parameters.ID_MOST else None
        if found is None:
            raise Problem(404, "not_found", f"There is no shipment {shipment_id}.")
        values = {"shipment": told_shipment(*found), "behind": told_behind(session)}
    return render_template("shipment.html", **values)
