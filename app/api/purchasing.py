"""Purchase orders with what is still open, and receipts."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.logistics_schemas import (
    PurchaseOrderPageSchema,
    PurchaseOrderSchema,
    ReceiptPageSchema,
    ReceiptSchema,
)
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, one_answer, wire_of
from app.api.routing import route
from app.projections.purchase_lists import (
    PurchaseFilter,
    PurchaseStatus,
    ReceiptFilter,
    list_purchases,
    list_receipts,
    suppliers_of,
)
from app.projections.stock_lists import PAGE_MOST
from app.web import parameters
from app.web.logistics import told_purchase, told_receipt
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("purchasing", __name__, description="Purchase orders, and the goods received for them.")
PATH = "/v1/purchase-orders"
_REFUSALS = problems("401", "403", "422")
_AS_BEFORE = {"304": {"description": "As before"}}


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="Purchase orders and how far they have come in, by their code",
    parameters=[
        query("plant", "The plant that placed it"),
        query("supplier", "The supplier's code, as the order has it"),
        query("item", "An item of one of its lines"),
        query("status", "How far it has come in", enum=[status.value for status in PurchaseStatus]),
        query(
            "late", "Only those of which something is open that was needed before now", type="boolean", default=False
        ),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", PurchaseOrderPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_purchase_orders() -> Response:
    """A receipt counts for the line that it names, or for the only line of its item. `open` is what is still owed: what
    was rejected is. An `unplaced` order is named by receipts and was placed by nobody."""
    asked, now = request.args, services().clock()
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    status = parameters.word(asked, "status", [one.value for one in PurchaseStatus])
    chosen = PurchaseFilter(
        plant=parameters.text(asked, "plant"),
        supplier=parameters.text(asked, "supplier"),
        item=parameters.text(asked, "item"),
        status=PurchaseStatus(status) if status else None,
        late_at=now if parameters.is_set(asked, "late") else None,
    )
    wire, after = wire_of(PurchaseOrderSchema), parameters.after(asked, 1)
    with services().store.reading() as session:
        rows = list_purchases(session, chosen, limit + 1, after[0] if after else None)
        told = [wire(told_purchase(row, now)) for row in rows[:limit]]
        following = parameters.next_after((rows[limit - 1].order.code,)) if len(rows) > limit else None
        return answer("purchase_orders", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<path:code>",
    at_least(Role.VIEWER),
    summary="One purchase order; its receipts are those of `/v1/receipts?purchase_order=`",
    parameters=[FIELDS, IF_NONE_MATCH],
    responses={**done("The order", PurchaseOrderSchema), **_AS_BEFORE, **problems("401", "403", "404", "422")},
)
def show_purchase_order(code: str) -> Response:
    wire, now = wire_of(PurchaseOrderSchema), services().clock()
    with services().store.reading() as session:
        rows = list_purchases(session, PurchaseFilter(code=parameters.named(code)), 1)
        if not rows:
            raise Problem(404, "not_found", f"No message has told of purchase order {code} yet.")
        return one_answer(wire(told_purchase(rows[0], now)))


@route(
    blueprint,
    "GET",
    "/v1/receipts",
    at_least(Role.VIEWER),
    summary="Goods received, each with the message that it comes from; the last entered first",
    parameters=[
        query("plant", "The plant that received"),
        query("item", "The item's code"),
        query("lot", "The lot"),
        query("purchase_order", "The purchase order that it names"),
        query("document_id", "The document that it names, of whatever type"),
        query("message_id", "The message", type="integer", minimum=1),
        query("void", "With those that count no more", type="boolean", default=False),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", ReceiptPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_goods_received() -> Response:
    """What is neither accepted nor rejected awaits its inspection. Amounts are in the item's base unit."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    named = {name: parameters.text(asked, name) for name in ("plant", "item", "lot", "purchase_order", "document_id")}
    chosen = ReceiptFilter(**named, message_id=parameters.whole_number(asked, "message_id"))
    before, void = parameters.whole_number(asked, "before"), parameters.is_set(asked, "void")
    wire = wire_of(ReceiptSchema)
    with services().store.reading() as session:
        rows = list_receipts(session, chosen, limit + 1, before, void)
        suppliers = suppliers_of(session, {row.document_id for row in rows if row.document_type == "purchase_order"})
        told = [wire(told_receipt(row, suppliers.get(row.document_id))) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("receipts", told, parameters.next_page(older), told_behind(session))
