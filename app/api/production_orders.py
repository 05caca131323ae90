"""Production orders: planned, completed, scrapped and remaining, and the messages that say so."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.production_order_schemas import (
    OrderReportPageSchema,
    OrderReportSchema,
    ProductionOrderPageSchema,
    ProductionOrderSchema,
)
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, one_answer, wire_of
from app.api.routing import route
from app.projections.order_lists import ORDER_KEY, OrderFilter, Status, list_orders, list_reports
from app.projections.stock_lists import PAGE_MOST
from app.web import parameters
from app.web.problems import Problem
from app.web.production_orders import told_order, told_report
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("production_orders", __name__, description="Production orders and what was reported of them.")
PATH = "/v1/production-orders"


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="Production orders, by plant and order",
    parameters=[
        query("plant", "The plant's code"),
        query("item", "What it makes"),
        query("status", "Where it stands", enum=[status.value for status in Status]),
        query("late", "Only open ones whose planned end has passed", type="boolean", default=False),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={
        **done("A page", ProductionOrderPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def list_production_orders() -> Response:
    """`completed` counts the order's own item in its base unit; `items` all that it made, took and scrapped."""
    asked, now = request.args, services().clock()
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    status = parameters.word(asked, "status", [one.value for one in Status])
    chosen = OrderFilter(
        plant=parameters.text(asked, "plant"),
        item=parameters.text(asked, "item"),
        status=Status(status) if status else None,
        late_at=now if parameters.is_set(asked, "late") else None,
    )
    wire = wire_of(ProductionOrderSchema)
    with services().store.reading() as session:
        rows = list_orders(session, chosen, limit + 1, parameters.after(asked, len(ORDER_KEY)))
        told = [wire(told_order(row, now)) for row in rows[:limit]]
        last = rows[limit - 1].order if len(rows) > limit else None
        following = parameters.next_after((last.plant, last.order_id)) if last else None
        return answer("production_orders", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<plant>/<path:order_id>/reports",
    at_least(Role.VIEWER),
    summary="What was reported of an order, each line with its message; the last entered first",
    parameters=[*PAGING, FIELDS, IF_NONE_MATCH],
    responses={
        **done("A page", OrderReportPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "404", "422"),
    },
)
def list_order_reports(plant: str, order_id: str) -> Response:
    """Reports of reversed messages are listed with `void_at`, and count no more."""
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    wire = wire_of(OrderReportSchema)
    with services().store.reading() as session:
        before = parameters.whole_number(request.args, "before")
        rows = list_reports(session, parameters.named(plant), parameters.named(order_id), limit + 1, before)
        told = [wire(told_report(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("reports", told, parameters.next_page(older), told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<plant>/<path:order_id>",
    at_least(Role.VIEWER),
    summary="One production order",
    parameters=[FIELDS, IF_NONE_MATCH],
    responses={
        **done("The order", ProductionOrderSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "404", "422"),
    },
)
def show_production_order(plant: str, order_id: str) -> Response:
    wire, now = wire_of(ProductionOrderSchema), services().clock()
    with services().store.reading() as session:
        chosen = OrderFilter(plant=parameters.named(plant), order_id=parameters.named(order_id))
        rows = list_orders(session, chosen, 1)
        if not rows:
            raise Problem(404, "not_found", f"No message has told of production order {order_id} of plant {plant} yet.")
        return one_answer(wire(told_order(rows[0], now)))
