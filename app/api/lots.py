"""Lots: what they were made of, and what was made of them."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.policy import at_least
from app.access.roles import Role
from app.api.hold_schemas import HoldSchema
from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema
from app.api.openapi_parts import done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, one_answer, told_values, wire_of
from app.api.routing import route
from app.projections.lot_lists import LOT_KEY, LotFilter, list_lots
from app.projections.lot_trace import LOTS_MOST, Direction, Gap
from app.projections.stock_lists import PAGE_MOST
from app.web import parameters
from app.web.lot_epcis import CONTENT_TYPE, MESSAGES_MOST, Asked, lot_document
from app.web.lots import item_of_lot, told_lot, told_trace, trace_lot
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("lots", __name__, description="Lots and their genealogy.")


class TracedLotSchema(Schema):
    item = fields.String(required=True)
    lot = fields.String(required=True)
    depth = fields.Integer(required=True, metadata={"description": "How many transformations away"})
    uom = fields.String(required=True, allow_none=True, metadata={"description": "null where there are several"})
    plants = fields.List(fields.String(), required=True)
    came = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    went = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    on_hand = fields.String(required=True, metadata=DECIMAL)
    receipts = fields.List(fields.String(), required=True)
    shipments = fields.List(fields.String(), required=True)
    suppliers = fields.List(
        fields.String(), required=True, metadata={"description": "Of the orders that receipts name"}
    )
    customers = fields.List(fields.String(), required=True, metadata={"description": "To whom it was shipped"})
    holds = fields.List(fields.Nested(HoldSchema), required=True, metadata={"description": "The open ones over it"})


class TracedLinkSchema(Schema):
    plant = fields.String(required=True)
    transformation = fields.String(required=True)
    order_id = fields.String(required=True)
    direction = fields.String(required=True, metadata={"enum": ["in", "out"]})
    item = fields.String(required=True)
    lot = fields.String(required=True, allow_none=True)
    quantity = fields.Nested(QuantitySchema, required=True)


class GapSchema(Schema):
    kind = fields.String(required=True, metadata={"enum": [gap.value for gap in Gap]})
    item = fields.String(required=True)
    lot = fields.String(required=True, allow_none=True)
    plant = fields.String(required=True, allow_none=True)
    transformation = fields.String(required=True, allow_none=True)
    order_id = fields.String(required=True, allow_none=True)
    quantity = fields.String(required=True, allow_none=True, metadata=DECIMAL)
    told = fields.String(required=True)


class TraceSchema(Schema):
    direction = fields.String(required=True, metadata={"enum": [direction.value for direction in Direction]})
    is_whole = fields.Boolean(required=True, metadata={"description": "Whether these are all of its lots"})
    lots = fields.List(fields.Nested(TracedLotSchema), required=True)
    links = fields.List(fields.Nested(TracedLinkSchema), required=True)
    gaps = fields.List(fields.Nested(GapSchema), required=True)


class LotPlaceSchema(Schema):
    plant = fields.String(required=True)
    storage = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    quantity = fields.Nested(QuantitySchema, required=True)


class LotSchema(Schema):
    lot = fields.String(metadata={"example": "L-4711"})
    item = fields.String(metadata={"example": "WHEEL-10"})
    on_hand = fields.List(fields.Nested(QuantitySchema), metadata={"description": "One for each unit"})
    places = fields.List(fields.Nested(LotPlaceSchema), metadata={"description": "Where it is, all serials together"})
    is_whole = fields.Boolean(
        metadata={"description": "false: the page's lots have too many places to sum all of them"}
    )
    holds = fields.List(fields.Nested(HoldSchema), metadata={"description": "The open ones over it"})
    suppliers = fields.List(fields.String(), metadata={"description": "Of the purchase orders that its receipts name"})
    customers = fields.List(fields.String(), metadata={"description": "To whom it was shipped, own plants aside"})


class LotPageSchema(Schema):
    lots = fields.List(fields.Nested(LotSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


@route(
    blueprint,
    "GET",
    "/v1/lots",
    at_least(Role.VIEWER),
    summary="Lots: where each is, what keeps it from being used, from whom it came and to whom it went",
    parameters=[
        query("plant", "Lots that were there; their places there"),
        query("item", "The item's code"),
        query("lot", "The lot"),
        query("there", "Only lots of which something is there", type="boolean", default=False),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={
        **done("A page", LotPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def list_all_lots() -> Response:
    """By lot and item. Its movements are those of `/v1/inventory/movements?lot=`; no message tells an expiry date."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    named = {name: parameters.text(asked, name) for name in ("plant", "item", "lot")}
    chosen = LotFilter(**named, there=parameters.is_set(asked, "there"))
    wire, after = wire_of(LotSchema), parameters.after(asked, len(LOT_KEY))
    with services().store.reading() as session:
        rows = list_lots(session, chosen, limit + 1, after)
        told = [wire(told_lot(row)) for row in rows[:limit]]
        following = parameters.next_after((rows[limit - 1].lot, rows[limit - 1].item)) if len(rows) > limit else None
        return answer("lots", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    "/v1/lots/<path:lot>/trace",
    at_least(Role.VIEWER),
    summary="The genealogy of a lot, to any depth, the nearest lots first",
    parameters=[
        query("item", "The item, where lots of several items have this name"),
        query("direction", "Up to what it was made of, or down to what was made of it", enum=["up", "down"]),
        query("limit", "So many lots at most", type="integer", minimum=1, maximum=LOTS_MOST, default=1000),
        IF_NONE_MATCH,
    ],
    responses={
        **done("The genealogy", TraceSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "404", "422"),
    },
)
def trace_one_lot(lot: str) -> Response:
    """Issues and completions of one order, or of one `transformation_id`, link their lots. `came` and `went` sum up the
    movements of a lot by why; what is moved neither comes nor goes."""
    asked = request.args
    direction = Direction(parameters.word(asked, "direction", [one.value for one in Direction]) or Direction.UP)
    most = parameters.whole_number(asked, "limit", LOTS_MOST) or 1000
    with services().store.reading() as session:
        found = trace_lot(session, parameters.named(lot), parameters.text(asked, "item"), direction, most)
    return one_answer(told_values(told_trace(found, direction)))


@route(
    blueprint,
    "GET",
    "/v1/lots/<path:lot>/epcis",
    at_least(Role.VIEWER),
    summary="A lot's history, up and down, as an EPCIS 2.0 document",
    parameters=[
        query("item", "The item, where lots of several items have this name"),
        query("direction", "Only up to what it was made of, or down to what was made of it", enum=["up", "down"]),
        query("target", "Whose names of items and places are used, where several targets are of EPCIS"),
        query("after", "The `next` of the page before", type="integer", minimum=0),
        query("limit", "Messages a page", type="integer", minimum=1, maximum=MESSAGES_MOST, default=1000),
    ],
    responses={
        "200": {"description": "The document", "content": {CONTENT_TYPE: {"schema": {"type": "object"}}}},
        **problems("401", "403", "404", "422"),
    },
)
def export_one_lot(lot: str) -> Response:
    """The extension `lineside:history` names the gaps of the genealogy, what EPCIS cannot say and why (`untold`), and
    where the next page begins (`next`). An event has the id here that it has in the target's repository."""
    asked, here = request.args, services()
    way = parameters.word(asked, "direction", [one.value for one in Direction])
    with here.store.reading() as session:
        item = item_of_lot(session, parameters.named(lot), parameters.text(asked, "item"))
    chosen = Asked(
        item,
        parameters.named(lot),
        [Direction(way)] if way else list(Direction),
        parameters.text(asked, "target"),
        parameters.whole_number(asked, "after") or 0,
        parameters.whole_number(asked, "limit", MESSAGES_MOST) or 1_000,
    )
    return Response(lot_document(here.store, here.topology, chosen, here.clock()), content_type=CONTENT_TYPE)
