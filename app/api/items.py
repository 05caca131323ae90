"""Items and bills of materials, with their versions."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.master_schemas import (
    BomPageSchema,
    BomSchema,
    ItemPageSchema,
    ItemSchema,
    ItemVersionPageSchema,
    ItemVersionSchema,
)
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, one_answer, wire_of
from app.api.routing import route
from app.projections.stock_lists import PAGE_MOST
from app.projections.version_lists import (
    VERSION_KEY,
    BomFilter,
    list_boms,
    list_item_descriptions,
    list_item_versions,
)
from app.web import parameters
from app.web.masters import told_bom, told_item, told_item_version
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("items", __name__, description="Items and what they are made of.")
PATH = "/v1/items"
_REFUSALS = problems("401", "403", "422")
_AS_BEFORE = {"304": {"description": "As before"}}


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="Items as messages are enriched with them, by their code",
    parameters=[*AFTER_PAGING, FIELDS, IF_NONE_MATCH],
    responses={**done("A page", ItemPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_items() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    wire, after = wire_of(ItemSchema), parameters.after(request.args, 1)
    with services().store.reading() as session:
        rows = list_item_descriptions(session, limit + 1, after[0] if after else None)
        told = [wire(told_item(*row)) for row in rows[:limit]]
        following = parameters.next_after((rows[limit - 1][0].code,)) if len(rows) > limit else None
        return answer("items", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<path:code>/versions",
    at_least(Role.VIEWER),
    summary="What messages told of an item, revision by revision; the last entered first",
    parameters=[*PAGING, FIELDS, IF_NONE_MATCH],
    responses={**done("A page", ItemVersionPageSchema), **_AS_BEFORE, **_REFUSALS, **problems("404")},
)
def list_versions_of_item(code: str) -> Response:
    """Of each revision one version stands. An item that was only read from the system of record has none."""
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    wire, before = wire_of(ItemVersionSchema), parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        rows = list_item_versions(session, parameters.named(code), limit + 1, before)
        told = [wire(told_item_version(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
        return answer("versions", told, parameters.next_page(older), told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<path:code>",
    at_least(Role.VIEWER),
    summary="One item",
    parameters=[FIELDS, IF_NONE_MATCH],
    responses={**done("The item", ItemSchema), **_AS_BEFORE, **problems("401", "403", "404", "422")},
)
def show_item(code: str) -> Response:
    wire = wire_of(ItemSchema)
    with services().store.reading() as session:
        rows = list_item_descriptions(session, 1, code=parameters.named(code))
        if not rows:
            raise Problem(404, "not_found", f"No system has described item {code} yet.")
        return one_answer(wire(told_item(*rows[0])))


@route(
    blueprint,
    "GET",
    "/v1/boms",
    at_least(Role.VIEWER),
    summary="Bills of materials that stand, by item and revision, each with the message that told it",
    parameters=[
        query("item", "What is made"),
        query("component", "An item that the bill takes: where it is used"),
        query("effective_at", "Of each item the bill that is in effect then", type="string", format="date-time"),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", BomPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_bills() -> Response:
    """Components are for `quantity` of the item, each in its base unit. In effect is, of those that are effective at an
    instant, the one that became so last."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    chosen = BomFilter(
        parameters.text(asked, "item"), parameters.text(asked, "component"), parameters.moment(asked, "effective_at")
    )
    wire, after = wire_of(BomSchema), parameters.after(asked, len(VERSION_KEY))
    with services().store.reading() as session:
        rows = list_boms(session, chosen, limit + 1, after)
        told = [wire(told_bom(row)) for row in rows[:limit]]
        last = rows[limit - 1].version if len(rows) > limit else None
        following = parameters.next_after((last.code, last.revision)) if last else None
        return answer("boms", told, following, told_behind(session))
