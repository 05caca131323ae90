"""Shipments, and what is on its way to own plants."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.logistics_schemas import ShipmentPageSchema, ShipmentSchema, TransitPageSchema, TransitSchema
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.reading import FIELDS, IF_NONE_MATCH, answer, one_answer, wire_of
from app.api.routing import route
from app.projections.shipment_lists import (
    ShipmentFilter,
    TransitFilter,
    find_shipment,
    list_shipments,
    list_transits,
)
from app.projections.stock_lists import PAGE_MOST
from app.web import parameters
from app.web.logistics import told_shipment, told_transit
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("shipments", __name__, description="Deliveries that left, and goods on their way between plants.")
PATH = "/v1/shipments"
_REFUSALS = problems("401", "403", "422")
_AS_BEFORE = {"304": {"description": "As before"}}


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="Deliveries that have left, each with the message that it comes from; the last entered first",
    parameters=[
        query("plant", "The plant that it left"),
        query("delivery_id", "The delivery"),
        query("ship_to", "Who it goes to, as the shipment has it"),
        query("to_plant", "The own plant that it goes to"),
        query("item", "An item in it"),
        query("lot", "A lot in it"),
        query("sscc", "A package with goods in it"),
        query("message_id", "The message", type="integer", minimum=1),
        query("in_transit", "Only those of which some is under way to an own plant", type="boolean", default=False),
        query("void", "With those that count no more", type="boolean", default=False),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", ShipmentPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_deliveries() -> Response:
    """Of what goes to an own plant it is known whether it has come (`in_transit`, `arrived`); all else is `shipped`."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    names = ("plant", "delivery_id", "ship_to", "to_plant", "item", "lot", "sscc")
    chosen = ShipmentFilter(
        **{name: parameters.text(asked, name) for name in names},
        message_id=parameters.whole_number(asked, "message_id"),
        in_transit=parameters.is_set(asked, "in_transit"),
        void=parameters.is_set(asked, "void"),
    )
    wire, before = wire_of(ShipmentSchema), parameters.whole_number(asked, "before")
    with services().store.reading() as session:
        rows = list_shipments(session, chosen, limit + 1, before)
        told = [wire(told_shipment(row)) for row in rows[:limit]]
        older = rows[limit - 1].shipment.id if len(rows) > limit else None
        return answer("shipments", told, parameters.next_page(older), told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<int:shipment_id>",
    at_least(Role.VIEWER),
    summary="One shipment with all of its lines and how much of each has come",
    parameters=[FIELDS, IF_NONE_MATCH],
    responses={**done("The shipment", ShipmentSchema), **_AS_BEFORE, **problems("401", "403", "404", "422")},
)
def show_delivery(shipment_id: int) -> Response:
    wire = wire_of(ShipmentSchema)
    with services().store.reading() as session:
        found = find_shipment(session, shipment_id) if shipment_id <= parameters.ID_MOST else None
        if found is None:
            raise Problem(404, "not_found", f"There is no shipment {shipment_id}.")
        return one_answer(wire(told_shipment(*found)))


@route(
    blueprint,
    "GET",
    "/v1/inventory/in-transit",
    at_least(Role.VIEWER),
    summary="What own plants and suppliers have sent to own plants and has not come; the last entered first",
    parameters=[
        query("from_plant", "The plant that sent it"),
        query("to_plant", "The plant that it goes to"),
        query("item", "The item's code"),
        query("lot", "The lot"),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", TransitPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_in_transit() -> Response:
    """It has left the sender's stock and is in nobody's. A receipt at the plant that names the delivery, or the order
    that the line is for, ends its way."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    chosen = TransitFilter(**{name: parameters.text(asked, name) for name in ("from_plant", "to_plant", "item", "lot")})
    wire, before = wire_of(TransitSchema), parameters.whole_number(asked, "before")
    with services().store.reading() as session:
        rows = list_transits(session, chosen, limit + 1, before)
        told = [wire(told_transit(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("in_transit", told, parameters.next_page(older), told_behind(session))
