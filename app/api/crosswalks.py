"""Crosswalks: list, change, what is missing, what was changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import read_body
from app.api.crosswalk_schemas import (
    CrosswalkBody,
    CrosswalkChangedSchema,
    CrosswalkHistorySchema,
    CrosswalkMissingListSchema,
    CrosswalkPageSchema,
)
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.routing import route
from app.crosswalks.changing import Entry
from app.crosswalks.lookup import list_changes, list_entries, list_missing
from app.inbox.lookup import PAGE_MOST
from app.web import parameters
from app.web.crosswalks import change_crosswalk, told_change, told_entry, told_missing
from app.web.problems import FieldError, Problem
from app.web.services import services

blueprint = Blueprint("crosswalks", __name__, description="Value tables between systems and canonical events.")

PATH = "/v1/admin/crosswalks"
_AFTER = ("after_system", "after_name", "after_value")
_TABLE = [query("system", "The source's or target's code"), query("name", "The table, such as `units`")]


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="List the entries of crosswalks, by system, table and value",
    parameters=[
        *_TABLE,
        query("limit", "At most so many", type="integer", minimum=1, maximum=PAGE_MOST),
        *[query(name, "Go on behind this entry, as `next` says") for name in _AFTER],
    ],
    responses={**done("A page", CrosswalkPageSchema), **problems("401", "403", "422")},
)
def show_crosswalks() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    system, name = parameters.text(request.args, "system"), parameters.text(request.args, "name")
    with services().store.reading() as session:
        rows = list_entries(session, system, name, limit + 1, _after())
        entries = [_wire(told_entry(row)) for row in rows[:limit]]
    return jsonify({"entries": entries, "next": _next(entries[-1]) if len(rows) > limit else None})


@route(
    blueprint,
    "POST",
    PATH,
    at_least(Role.OPERATOR),
    summary="Fill in, change or remove entries; what waits for one goes on",
    requestBody=json_request(CrosswalkBody),
    responses={
        **done("Done, with its history", CrosswalkChangedSchema),
        **problems("400", "401", "403", "409", "413", "415", "422", "503"),
    },
)
def change_crosswalks() -> Response:
    """What a message became before stays as it is."""
    here, body = services(), read_body(CrosswalkBody)
    entries = [Entry(entry["value"], entry["becomes"]) for entry in body["entries"]]
    actor = current_identity().actor
    changed = change_crosswalk(
        here.store, here.topology, body["system"], body["name"], entries, actor, body["note"], here.clock()
    )
    return jsonify({"changed": changed})


@route(
    blueprint,
    "GET",
    PATH + "/missing",
    at_least(Role.VIEWER),
    summary="The values that messages wait for, the most waited for first",
    responses={**done("At most 200", CrosswalkMissingListSchema), **problems("401", "403")},
)
def show_missing() -> Response:
    with services().store.reading() as session:
        return jsonify({"missing": [told_missing(one) for one in list_missing(session)]})


@route(
    blueprint,
    "GET",
    PATH + "/history",
    at_least(Role.VIEWER),
    summary="What was changed, the newest first",
    parameters=[*_TABLE, *PAGING],
    responses={**done("A page", CrosswalkHistorySchema), **problems("401", "403", "422")},
)
def show_history() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    system, name = parameters.text(request.args, "system"), parameters.text(request.args, "name")
    before = parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        rows = list_changes(session, system, name, limit + 1, before)
        changes = [_wire(told_change(row)) for row in rows[:limit]]
    older = rows[limit - 1].id if len(rows) > limit else None
    return jsonify({"changes": changes, "next": parameters.next_page(older)})


def _after() -> tuple[str, str, str] | None:
    given = [request.args.get(name) for name in _AFTER]
    if all(value is None for value in given):
        return None
    system, name, value = given
    if system is None or name is None or value is None or "\0" in system + name + value:
        told = f"Give all of {', '.join(_AFTER)}, as `next` has them."
        raise Problem(422, "refused", told, [FieldError("is not whole", place=f"query {_AFTER[0]}")])
    return system, name, value


def _next(last: dict[str, Any]) -> str:
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _AFTER]
    behind = zip(_AFTER, (last["system"], last["name"], last["value"]), strict=True)
    return f"{request.path}?{urlencode([*kept, *behind])}"


def _wire(told: dict[str, Any]) -> dict[str, Any]:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in told.items()}
