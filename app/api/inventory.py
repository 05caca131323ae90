"""Inventory: what plants have of items, where it is, and the movements that made it so."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.inventory_schemas import (
    ItemStockPageSchema,
    ItemStockSchema,
    MovementPageSchema,
    MovementSchema,
    StockPageSchema,
    StockSchema,
)
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, wire_of
from app.api.routing import route
from app.projections.ledger import STATUSES
from app.projections.movements import Kind
from app.projections.stock_lists import (
    ITEM_KEY,
    PAGE_MOST,
    PLACE_KEY,
    MovementFilter,
    StockFilter,
    TooManyPlaces,
    list_items,
    list_movements,
    list_places,
)
from app.web import parameters
from app.web.problems import FieldError, Problem
from app.web.services import services
from app.web.stock import told_behind, told_items, told_movement, told_place

blueprint = Blueprint("inventory", __name__, description="Stock by plant, item, place, lot and status; its movements.")

_WHERE = [query("plant", "The plant's code"), query("item", "The item's code")]
_PLACE = [
    query("storage", "The storage location; empty for stock of which no event named one"),
    query("lot", "The lot; empty for stock without"),
    query("serial", "The serial; empty for stock without"),
    query("status", "The stock status", enum=list(STATUSES)),
]
_REFUSALS = problems("401", "403", "422")


@route(
    blueprint,
    "GET",
    "/v1/inventory",
    at_least(Role.VIEWER),
    summary="What plants have of items, by plant and item",
    parameters=[*_WHERE, *AFTER_PAGING, FIELDS, IF_NONE_MATCH],
    responses={**done("A page", ItemStockPageSchema), "304": {"description": "As before"}, **_REFUSALS},
)
def list_inventory() -> Response:
    """`on_hand` is the sum of the three statuses; `available` is what is unrestricted less `on_hold` less
    `reserved`. Follow `next` until it is null."""
    limit, asked = _limit(), request.args
    plant, item = parameters.text(asked, "plant"), parameters.text(asked, "item")
    wire = wire_of(ItemStockSchema)
    with services().store.reading() as session:
        rows = list_items(session, plant, item, limit + 1, parameters.after(asked, len(ITEM_KEY)))
        behind = told_behind(session)
        told = [wire(row) for row in told_items(session, rows[:limit])]
        ended = [(row.plant, row.item, row.uom) for row in rows[:limit]]
    return answer("inventory", told, _next(ended, len(rows) > limit), behind)


@route(
    blueprint,
    "GET",
    "/v1/inventory/stock",
    at_least(Role.VIEWER),
    summary="Stock by place: storage location, lot, serial and status",
    parameters=[
        *_WHERE,
        *_PLACE,
        query("empty", "With places where there was stock once", type="boolean", default=False),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", StockPageSchema), "304": {"description": "As before"}, **_REFUSALS},
)
def list_stock() -> Response:
    limit, asked = _limit(), request.args
    wire, after = wire_of(StockSchema), parameters.after(asked, len(PLACE_KEY))
    with services().store.reading() as session:
        rows = list_places(session, _stock_filter(), limit + 1, after, parameters.is_set(asked, "empty"))
        behind = told_behind(session)
        told = [wire(told_place(row)) for row in rows[:limit]]
        ended = [tuple(getattr(row, column.key) for column in PLACE_KEY) for row in rows[:limit]]
    return answer("stock", told, _next(ended, len(rows) > limit), behind)


@route(
    blueprint,
    "GET",
    "/v1/inventory/movements",
    at_least(Role.VIEWER),
    summary="Movements of stock, each with the message that it comes from; the last entered first",
    parameters=[
        *_WHERE,
        *_PLACE,
        query("order_id", "The production order"),
        query("message_id", "The message", type="integer", minimum=1),
        query("kind", "Why stock changed", enum=[kind.value for kind in Kind]),
        query("void", "With those that count no more", type="boolean", default=False),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", MovementPageSchema), "304": {"description": "As before"}, **_REFUSALS},
)
def list_stock_movements() -> Response:
    """The sum of the quantities of a place's movements is its stock."""
    limit, asked = _limit(), request.args
    chosen = MovementFilter(
        _stock_filter(),
        parameters.text(asked, "order_id"),
        parameters.whole_number(asked, "message_id"),
        parameters.word(asked, "kind", [kind.value for kind in Kind]),
        parameters.is_set(asked, "void"),
    )
    wire = wire_of(MovementSchema)
    with services().store.reading() as session:
        try:
            rows = list_movements(session, chosen, limit + 1, parameters.whole_number(asked, "before"))
        except TooManyPlaces:
            reason = "means too many places; name the plant and the item as well"
            raise Problem(
                422, "refused", f"The filter {reason}.", [FieldError(reason, place="query storage")]
            ) from None
        behind = told_behind(session)
        told = [wire(told_movement(*row)) for row in rows[:limit]]
        older = rows[limit - 1][0].id if len(rows) > limit else None
    return answer("movements", told, parameters.next_page(older), behind)


def _limit() -> int:
    return parameters.whole_number(request.args, "limit", PAGE_MOST) or 50


def _stock_filter() -> StockFilter:
    """A place that is named as empty is the one that no event named."""
    asked = request.args
    place = {name: parameters.text(asked, name) or "" for name in ("storage", "lot", "serial") if name in asked}
    status = parameters.word(asked, "status", STATUSES)
    return StockFilter(parameters.text(asked, "plant"), parameters.text(asked, "item"), **place, status=status)


def _next(ended: Sequence[tuple[str, ...]], goes_on: bool) -> str | None:
    return parameters.next_after(ended[-1]) if goes_on else None
