"""What suppliers and customers see of their own, by a key that is bound to them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from app.access.party_keys import CUSTOMER, SUPPLIER
from app.access.policy import of_party
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.party_schemas import (
    OwnDeliveryPageSchema,
    OwnHoldPageSchema,
    OwnOrderPageSchema,
    OwnReceiptPageSchema,
)
from app.api.reading import AFTER_PAGING, one_answer, told_values
from app.api.routing import route
from app.projections import customer_view, supplier_view
from app.projections.supplier_view import PAGE_MOST
from app.web import parameters
from app.web.parties import (
    asking_party,
    told_delivery_of,
    told_own_hold,
    told_purchase_order,
    told_receipt,
)
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("parties", __name__, description="What suppliers and customers see: their own, and nothing else.")

_REFUSALS = problems("401", "403", "422")
_SUPPLIER = query("supplier", "The supplier; only for accounts, a supplier's key says it")
_CUSTOMER = query("customer", "The customer (`ship_to`); only for accounts, a customer's key says it")


@route(
    blueprint,
    "GET",
    "/v1/supplier/purchase-orders",
    of_party(SUPPLIER),
    summary="A supplier's purchase orders, and how far they have come in",
    parameters=[
        _SUPPLIER,
        query("open", "Only those of which something is still to come", type="boolean"),
        *AFTER_PAGING,
    ],
    responses={**done("A page, by code", OwnOrderPageSchema), **_REFUSALS},
)
def list_own_orders() -> Response:
    supplier, limit, after = asking_party(SUPPLIER), _limit(), parameters.after(request.args, 1)
    with services().store.reading() as session:
        only_open = parameters.is_set(request.args, "open")
        rows = supplier_view.list_orders(session, supplier, limit + 1, after[0] if after else None, only_open=only_open)
        page = rows[:limit]
        found = supplier_view.lines_of(session, [row.code for row in page])
        lines = defaultdict(list)
        for line in found[: supplier_view.LINES_MOST]:
            lines[line.purchase_order].append(line)
        told = [told_purchase_order(row, lines[row.code]) for row in page]
        following = parameters.next_after([page[-1].code]) if len(rows) > limit else None
        more = {"lines_left_out": len(found) > supplier_view.LINES_MOST, "behind": told_behind(session)}
    return _page("orders", told, following, more)


@route(
    blueprint,
    "GET",
    "/v1/supplier/receipts",
    of_party(SUPPLIER),
    summary="What was received of a supplier's orders: accepted and rejected",
    parameters=[_SUPPLIER, query("purchase_order", "Only of this order"), *AFTER_PAGING],
    responses={**done("A page, by order", OwnReceiptPageSchema), **_REFUSALS},
)
def list_own_receipts() -> Response:
    supplier, limit = asking_party(SUPPLIER), _limit()
    order, after = parameters.text(request.args, "purchase_order"), _after_receipt()
    with services().store.reading() as session:
        rows = supplier_view.list_receipts(session, supplier, limit + 1, after, order)
        told = [told_receipt(row) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        following = parameters.next_after([last.document_id, str(last.id)]) if last else None
        more = {"behind": told_behind(session)}
    return _page("receipts", told, following, more)


@route(
    blueprint,
    "GET",
    "/v1/supplier/holds",
    of_party(SUPPLIER),
    summary="Open quality holds on lots that this supplier alone delivered",
    parameters=[_SUPPLIER, *PAGING],
    responses={**done("A page, the last first", OwnHoldPageSchema), **_REFUSALS},
)
def list_own_holds() -> Response:
    """A page may hold fewer than asked for, or none, and still go on."""
    supplier, limit, before = asking_party(SUPPLIER), _limit(), parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        found, older = supplier_view.list_holds(session, supplier, limit, before)
        told = [told_own_hold(hold, item) for hold, item in found]
        more = {"behind": told_behind(session)}
    return _page("holds", told, parameters.next_page(older), more)


@route(
    blueprint,
    "GET",
    "/v1/customer/shipments",
    of_party(CUSTOMER),
    summary="A customer's deliveries and their milestones",
    parameters=[_CUSTOMER, query("delivery_id", "Only this delivery"), *PAGING],
    responses={**done("A page, the last first", OwnDeliveryPageSchema), **_REFUSALS},
)
def list_own_shipments() -> Response:
    """`released` and `produced` are known by the lots of the goods; `packed` by the packages that the shipment names,
    of which nobody tells when."""
    customer, limit, before = asking_party(CUSTOMER), _limit(), parameters.whole_number(request.args, "before")
    delivery = parameters.text(request.args, "delivery_id")
    with services().store.reading() as session:
        rows = customer_view.list_shipments(session, customer, limit + 1, before, delivery)
        page = rows[:limit]
        found = customer_view.lines_of(session, [row.id for row in page])
        lines = defaultdict(list)
        for line in found[: customer_view.LINES_MOST]:
            lines[line.shipment_id].append(line)
        made = customer_view.made_of(session, {(line.item, line.lot) for line in found})
        told = [told_delivery_of(row, lines[row.id], made) for row in page]
        more = {"lines_left_out": len(found) > customer_view.LINES_MOST, "behind": told_behind(session)}
    return _page("deliveries", told, parameters.next_page(page[-1].id if len(rows) > limit else None), more)


def _after_receipt() -> tuple[str, int] | None:
    key = parameters.after(request.args, 2)
    if key is None:
        return None
    if not (key[1].isascii() and key[1].isdigit() and len(key[1]) < 19):
        raise Problem(422, "refused", "Query parameter after must be as `next` has it.")
    return key[0], int(key[1])


def _limit() -> int:
    return parameters.whole_number(request.args, "limit", PAGE_MOST) or 50


def _page(name: str, rows: list[dict[str, Any]], following: str | None, more: dict[str, Any]) -> Response:
    return one_answer({name: [told_values(row) for row in rows], "next": following, **told_values(more)})
