"""Quality holds and their releases, and which of them are open."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.hold_schemas import HoldPageSchema, HoldSchema
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.reading import FIELDS, IF_NONE_MATCH, answer, wire_of
from app.api.routing import route
from app.projections.hold_lists import HoldFilter, list_holds
from app.projections.stock_lists import PAGE_MOST
from app.web import parameters
from app.web.holds import told_hold
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("quality_holds", __name__, description="What may not be used, and why.")


@route(
    blueprint,
    "GET",
    "/v1/quality-holds",
    at_least(Role.VIEWER),
    summary="Quality holds and releases, each with the message that it comes from; the last entered first",
    parameters=[
        query("plant", "The plant's code"),
        query("item", "The item's code; empty for holds that name none"),
        query("lot", "The lot; empty for holds that name none"),
        query("open", "Only those that are open, or only the others", type="boolean"),
        *PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={
        **done("A page", HoldPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def list_quality_holds() -> Response:
    """The state of a subject (plant, item, lot and serial as the event names them) is what its latest event says. A
    release ends the hold of the same subject, and not one that is wider or narrower."""
    limit, wire = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50, wire_of(HoldSchema)
    with services().store.reading() as session:
        before = parameters.whole_number(request.args, "before")
        rows = list_holds(session, _filter(), limit + 1, before)
        told = [wire(told_hold(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("quality_holds", told, parameters.next_page(older), told_behind(session))


def _filter() -> HoldFilter:
    asked = request.args
    named = {name: parameters.text(asked, name) or "" for name in ("item", "lot") if name in asked}
    is_open = parameters.is_set(asked, "open") if asked.get("open", "").strip() else None
    return HoldFilter(parameters.text(asked, "plant"), **named, is_open=is_open)
