"""Business exceptions: list, show, acknowledge, resolve."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import AcknowledgeBody, PauseBody, read_body
from app.api.exception_schemas import (
    AcknowledgingSchema,
    ExceptionDetailSchema,
    ExceptionPageSchema,
    RulesSchema,
)
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.routing import route
from app.api.schemas import PausingSchema
from app.business_exceptions.lookup import STATES, find_exception, list_exceptions, notices_of
from app.inbox.lookup import PAGE_MOST
from app.store.exception_tables import BusinessException
from app.web import parameters
from app.web.exceptions import (
    PROCESSES,
    acknowledge_exception,
    filter_of_query,
    resolve_exception,
    told,
    told_notice,
    told_rule,
)
from app.web.problems import Problem
from app.web.services import services
from config.exception_terms import RULE_TERMS, SEVERITIES

blueprint = Blueprint("exceptions", __name__, description="What a person has to know: missing, late, at risk.")

REFUSALS = ("401", "403", "404", "409", "413", "415", "422", "503")
PATH = "/v1/admin/exceptions/<int:exception_id>"


@route(
    blueprint,
    "GET",
    "/v1/admin/exceptions",
    at_least(Role.VIEWER),
    summary="List business exceptions, newest first",
    parameters=[
        query("state", f"One or more of {', '.join(STATES)}, parted by commas; any unless told"),
        query("plant", "The plant's code"),
        query("source", "The source's code"),
        query("rule", "Such as `numbers_missing`"),
        query("severity", f"One of {', '.join(SEVERITIES)}"),
        query("process", f"One of {', '.join(PROCESSES)}"),
        query("owner", "As the topology names it"),
        query("object_type", "Such as `production_order`, with `object_id`"),
        query("object_id", "The business object's own id"),
        *PAGING,
    ],
    responses={**done("A page", ExceptionPageSchema), **problems("401", "403", "422")},
)
def show_exceptions() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    before = parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        page = list_exceptions(session, filter_of_query(request.args), limit, before)
        rows = [_wire(each) for each in page.exceptions]
    return jsonify({"exceptions": rows, "next": parameters.next_page(page.before)})


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="One business exception, with who was told of it",
    responses={**done("The exception", ExceptionDetailSchema), **problems("401", "403", "404")},
)
def show_exception(exception_id: int) -> Response:
    return _show(exception_id)


@route(
    blueprint,
    "POST",
    PATH + "/acknowledge",
    at_least(Role.OPERATOR),
    summary="Say that somebody takes care of it",
    requestBody=json_request(AcknowledgingSchema),
    responses={**done("It is acknowledged", ExceptionDetailSchema), **problems("400", *REFUSALS)},
)
def acknowledge_one(exception_id: int) -> Response:
    """It stays until its cause is gone, or somebody resolves it."""
    here, reason = services(), read_body(AcknowledgeBody).get("reason")
    _must_be_an_id(exception_id)
    acknowledge_exception(here.store, exception_id, current_identity().actor, reason, here.clock())
    return _show(exception_id)


@route(
    blueprint,
    "POST",
    PATH + "/resolve",
    at_least(Role.OPERATOR),
    summary="End it for good, with a reason",
    requestBody=json_request(PausingSchema),
    responses={**done("It is resolved", ExceptionDetailSchema), **problems("400", *REFUSALS)},
)
def resolve_one(exception_id: int) -> Response:
    """What is missing is not asked for again; a silence counts from now on."""
    here, reason = services(), read_body(PauseBody)["reason"]
    _must_be_an_id(exception_id)
    resolve_exception(here.store, exception_id, current_identity().actor, reason, here.clock())
    return _show(exception_id)


def _must_be_an_id(exception_id: int) -> None:
    if exception_id > parameters.ID_MOST:
        raise Problem(404, "not_found", f"There is no business exception {exception_id}.")


def _show(exception_id: int) -> Response:
    _must_be_an_id(exception_id)
    with services().store.reading() as session:
        found = find_exception(session, exception_id)
        if found is None:
            raise Problem(404, "not_found", f"There is no business exception {exception_id}.")
        notices = [_written(told_notice(notice)) for notice in notices_of(session, exception_id)]
        return jsonify({**_wire(found), "notices": notices})


@route(
    blueprint,
    "GET",
    "/v1/admin/exception-rules",
    at_least(Role.VIEWER),
    summary="The rules as they hold, for all plants or for one",
    parameters=[query("plant", "The plant's code")],
    responses={**done("The rules", RulesSchema), **problems("401", "403", "422")},
)
def show_rules() -> Response:
    here, plant = services(), parameters.text(request.args, "plant")
    return jsonify({"rules": [told_rule(word, here.topology.exceptions, plant) for word in RULE_TERMS]})


def _wire(exception: BusinessException) -> dict[str, Any]:
    return _written(told(exception))


def _written(values: dict[str, Any]) -> dict[str, Any]:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in values.items()}
