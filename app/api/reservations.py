"""Reservations: what is kept for whom, what was used of it, and the messages of both."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.process_schemas import ReservationDetailSchema, ReservationPageSchema, ReservationSchema
from app.api.reading import FIELDS, IF_NONE_MATCH, answer, one_answer, told_values, wire_of
from app.api.routing import route
from app.processes.reserving import find_reservation
from app.projections.reservation_lists import ReservationFilter, list_reservations, list_uses
from app.projections.reservation_uses import ReservationState
from app.projections.stock_lists import PAGE_MOST
from app.store.reservation_tables import Reservation
from app.web import parameters
from app.web.problems import Problem
from app.web.reservations import told_reservation, told_use
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("reservations", __name__, description="What is kept for an order, a delivery or a caller.")
READER = at_least(Role.VIEWER, or_source_key=True)


@route(
    blueprint,
    "GET",
    "/v1/reservations",
    READER,
    summary="Reservations, the last made first",
    parameters=[
        query("plant", "The plant's code"),
        query("item", "The item's code"),
        query("order_id", "The production order"),
        query("delivery_id", "The delivery"),
        query("state", "The state", enum=[state.value for state in ReservationState]),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={
        **done("A page", ReservationPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def list_page() -> Response:
    """A source's key sees the source's own reservations."""
    limit, wire = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50, wire_of(ReservationSchema)
    with services().store.reading() as session:
        before = parameters.whole_number(request.args, "before")
        rows = list_reservations(session, _chosen(), limit + 1, before)
        told = [wire(told_reservation(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("reservations", told, parameters.next_page(older), told_behind(session))


def _chosen() -> ReservationFilter:
    asked, key = request.args, current_identity().key
    state = parameters.word(asked, "state", [state.value for state in ReservationState])
    names = ("plant", "item", "order_id", "delivery_id")
    named = {name: parameters.text(asked, name) for name in names}
    return ReservationFilter(**named, state=state, source=key.source if key else None)


@route(
    blueprint,
    "GET",
    "/v1/reservations/<code>",
    READER,
    summary="One reservation, with what was used of it",
    parameters=[IF_NONE_MATCH],
    responses={
        **done("The reservation", ReservationDetailSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "404"),
    },
)
def show_reservation(code: str) -> Response:
    with services().store.reading() as session:
        row = _visible(find_reservation(session, parameters.named(code)), code)
        told = told_reservation(row) | {"uses": [told_use(use) for use in list_uses(session, row.id)]}
        return one_answer(told_values(told | {"behind": told_behind(session)}))


def _visible(row: Reservation | None, code: str) -> Reservation:
    key = current_identity().key
    if row is None or (key is not None and not (row.source == key.source and key.may_send_for(row.plant))):
        raise Problem(404, "not_found", f"There is no reservation {code}.")
    return row
