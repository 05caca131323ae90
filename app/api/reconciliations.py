"""Reconciliations: what a system says it has against what was reported, and the messages in between."""

from __future__ import annotations

import csv
import io

from flask import Response, jsonify, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import ReconcileBody, read_body
from app.api.inventory_schemas import DECIMAL
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.reading import one_answer, told_values
from app.api.routing import route
from app.projections.stock_lists import PAGE_MOST
from app.reconcile.causes import Cause
from app.reconcile.keys import Level
from app.reconcile.reports import find_report, list_differences, list_reports
from app.store.reconcile_requests import find_request
from app.web import parameters
from app.web.problems import Problem
from app.web.reconciliation_acts import REQUEST_STATES, ask_comparison, told_request
from app.web.reconciliations import COLUMNS, flat_difference, told_difference, told_fixes, told_report
from app.web.services import services

blueprint = Blueprint("reconciliations", __name__, description="Differences between systems, and what explains them.")
PATH = "/v1/reconciliations"
CSV_ROWS_MOST = 100_000


class ReconciliationSchema(Schema):
    id = fields.Integer(required=True)
    system = fields.String(required=True)
    against = fields.String(
        required=True, allow_none=True, metadata={"description": "The other system; null: with what was reported"}
    )
    level = fields.String(required=True, metadata={"enum": [level.value for level in Level]})
    made_at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    compared = fields.Integer(required=True, metadata={"description": "So many places"})
    differences = fields.Integer(required=True)
    unexplained = fields.Integer(required=True, metadata={"description": "Differences that the causes do not explain"})
    unread = fields.List(fields.Integer(), required=True, metadata={"description": "Messages of unknown effect"})
    unread_count = fields.Integer(required=True)
    is_whole = fields.Boolean(required=True, metadata={"description": "Whether all unfinished messages were looked at"})
    cut_off = fields.DateTime(metadata={"description": "Up to when what happened was compared"})
    taken_at = fields.DateTime(metadata={"description": "When the system's balances were taken"})
    origin = fields.String()
    balances = fields.Integer()
    against_taken_at = fields.DateTime()
    against_origin = fields.String()
    against_balances = fields.Integer()


class ReconciliationPageSchema(Schema):
    reconciliations = fields.List(fields.Nested(ReconciliationSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class ReconcileRequestSchema(Schema):
    id = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"enum": list(REQUEST_STATES)})
    system = fields.String(required=True)
    against = fields.String(required=True, allow_none=True)
    level = fields.String(required=True, metadata={"enum": [level.value for level in Level]})
    asked_at = fields.DateTime(required=True)
    asked_by = fields.String(required=True)
    ended_at = fields.DateTime(required=True, allow_none=True)
    reconciliation = fields.Integer(required=True, allow_none=True, metadata={"description": "Its id, once made"})
    trouble = fields.String(required=True, allow_none=True, metadata={"description": "Why there is none"})


class CauseSchema(Schema):
    cause = fields.String(required=True, metadata={"enum": [cause.value for cause in Cause]})
    system = fields.String(allow_none=True, metadata={"description": "Who lacks the messages, or has them twice"})
    quantity = fields.String(required=True, metadata=DECIMAL)
    messages = fields.List(fields.Integer(), required=True, metadata={"description": "At most 200"})
    count = fields.Integer(required=True)
    told = fields.String(required=True)
    mend = fields.String(required=True)


class FixSchema(Schema):
    kind = fields.String(required=True, metadata={"enum": ["requeue", "adjust", "by_hand"]})
    told = fields.String(required=True)
    command = fields.String(required=True, allow_none=True)
    ids = fields.List(fields.Integer(), required=True, metadata={"description": "Dead letters"})


class DifferenceSchema(Schema):
    number = fields.Integer(required=True)
    plant = fields.String(required=True)
    item = fields.String(required=True)
    storage = fields.String(required=True, allow_none=True)
    lot = fields.String(required=True, allow_none=True)
    uom = fields.String(required=True)
    system = fields.String(required=True, metadata=DECIMAL)
    reported = fields.String(required=True, metadata={**DECIMAL, "description": "Or what the other system has"})
    difference = fields.String(required=True, metadata=DECIMAL)
    unexplained = fields.String(required=True, metadata=DECIMAL)
    causes = fields.List(fields.Nested(CauseSchema), required=True)
    fixes = fields.List(fields.Nested(FixSchema), required=True, metadata={"description": "What can be done"})


class DifferencePageSchema(Schema):
    differences = fields.List(fields.Nested(DifferenceSchema), required=True)
    next = fields.String(required=True, allow_none=True)


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="What was compared, the newest first",
    parameters=[query("system", "The target's or source's code"), *PAGING],
    responses={**done("A page", ReconciliationPageSchema), **problems("401", "403", "422")},
)
def list_reconciliations() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    system, before = parameters.text(request.args, "system"), parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        rows = list_reports(session, system, limit + 1, before)
        told = [told_values(told_report(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
    return one_answer({"reconciliations": told, "next": parameters.next_page(older)})


@route(
    blueprint,
    "POST",
    PATH,
    at_least(Role.OPERATOR),
    summary="Read a system's balances now and compare them",
    requestBody=json_request(ReconcileBody),
    responses={
        **done("It is asked for; `Location` says where to look", ReconcileRequestSchema, "202"),
        **problems("400", "401", "403", "409", "413", "415", "422", "503"),
    },
)
def ask_for_reconciliation() -> Response:
    """With what was reported, or `against` another system that is read too. A worker reads and compares within seconds
    of when the system answers, one after the other; the same comparison that is not over yet is not asked for twice."""
    body = read_body(ReconcileBody)
    told = ask_comparison(services(), body["system"], body["against"], body["level"], current_identity().actor)
    response = jsonify(told_values(told))
    response.status_code = 202
    response.headers["Location"] = f"{PATH}/requests/{told['id']}"
    return response


@route(
    blueprint,
    "GET",
    PATH + "/requests/<int:request_id>",
    at_least(Role.VIEWER),
    summary="What became of a comparison that was asked for",
    responses={**done("How far it is", ReconcileRequestSchema), **problems("401", "403", "404")},
)
def show_request(request_id: int) -> Response:
    with services().store.reading() as session:
        found = find_request(session, request_id) if request_id <= parameters.ID_MOST else None
        if found is None:
            raise Problem(404, "not_found", f"No comparison was asked for as {request_id}.")
        return one_answer(told_values(told_request(found)))


@route(
    blueprint,
    "GET",
    PATH + "/<int:report_id>",
    at_least(Role.VIEWER),
    summary="One comparison",
    responses={**done("The comparison", ReconciliationSchema), **problems("401", "403", "404")},
)
def show_reconciliation(report_id: int) -> Response:
    with services().store.reading() as session:
        found = find_report(session, report_id) if report_id <= parameters.ID_MOST else None
        if found is None:
            raise _missing(report_id)
        return one_answer(told_values(told_report(found.report, found)))


@route(
    blueprint,
    "GET",
    PATH + "/<int:report_id>/differences",
    at_least(Role.VIEWER),
    summary="Its differences with their causes, by plant, item, storage location and lot",
    parameters=[
        query("unexplained", "Only what the causes do not explain", type="boolean", default=False),
        query("limit", "Rows a page", type="integer", minimum=1, maximum=200, default=50),
        query("after", "Where the page before ended; `next` holds it"),
    ],
    responses={**done("A page", DifferencePageSchema), **problems("401", "403", "404", "422")},
)
def list_its_differences(report_id: int) -> Response:
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    key = parameters.after(asked, 1)
    after = int(key[0]) if key and key[0].isascii() and key[0].isdigit() and len(key[0]) < 10 else 0
    with services().store.reading() as session:
        found = find_report(session, report_id) if report_id <= parameters.ID_MOST else None
        if found is None:
            raise _missing(report_id)
        rows = list_differences(session, report_id, limit + 1, after, parameters.is_set(asked, "unexplained"))
        topology, report = services().topology, found.report
        told = [{**told_difference(row), "fixes": told_fixes(topology, report, row)} for row in rows[:limit]]
        following = parameters.next_after((str(rows[limit - 1].number),)) if len(rows) > limit else None
    return one_answer({"differences": told, "next": following})


@route(
    blueprint,
    "GET",
    PATH + "/<int:report_id>/differences.csv",
    at_least(Role.VIEWER),
    summary="All its differences as CSV",
    responses={
        "200": {"description": "A row a difference", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems("401", "403", "404"),
    },
)
def download_differences(report_id: int) -> Response:
    with services().store.reading() as session:
        found = find_report(session, report_id) if report_id <= parameters.ID_MOST else None
        if found is None:
            raise _missing(report_id)
        rows = [told_difference(row) for row in list_differences(session, report_id, CSV_ROWS_MOST)]
        name = f"reconciliation-{found.report.system}-{instant(found.cut_off)}.csv".replace(":", "")
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(flat_difference(row) for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _missing(report_id: int) -> Problem:
    return Problem(404, "not_found", f"There is no reconciliation {report_id}.")
