"""What is done about differences: dead letters requeued, and adjustments that a second person approves."""

from __future__ import annotations

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import read_body
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.proposal_schemas import (
    ApprovingBody,
    PlanSchema,
    ProposalPageSchema,
    ProposalSchema,
    ProposingBody,
    RejectingBody,
    RequeuedSchema,
    RequeuingBody,
)
from app.api.reading import told_values
from app.api.routing import route
from app.projections.stock_lists import PAGE_MOST
from app.reconcile.proposals import STATES, list_proposals
from app.web import parameters
from app.web.dead_letter_acts import nudge_plants
from app.web.problems import Problem
from app.web.proposals import (
    approve_proposal,
    preview_fix,
    propose_fix,
    reject_proposal,
    requeue_dead_of,
    show_proposal,
    told_proposal,
)
from app.web.services import services

blueprint = Blueprint("proposals", __name__, description="Adjustments that one proposes and another approves.")
PATH = "/v1/proposals"
REPORT = "/v1/reconciliations/<int:report_id>"
REFUSALS = ("400", "401", "403", "404", "409", "413", "415", "422", "503")


@route(
    blueprint,
    "POST",
    REPORT + "/proposals",
    at_least(Role.OPERATOR),
    summary="Propose to take a report over, or to adjust what differs; with `dry_run` only say what it would be",
    requestBody=json_request(ProposingBody),
    responses={
        **done("What it would be (`dry_run`)", PlanSchema),
        **done("It is proposed", ProposalSchema, "201"),
        **problems(*REFUSALS),
    },
)
def propose_one(report_id: int) -> tuple[Response, int]:
    here, body = services(), read_body(ProposingBody)
    _must_be_an_id(report_id, "reconciliation")
    number = body.get("number", 0)
    if body["dry_run"]:
        return jsonify(preview_fix(here.store, here.topology, report_id, body["kind"], number)), 200
    actor = current_identity().actor
    told = propose_fix(here.store, here.topology, report_id, body["kind"], number, body["reason"], actor, here.clock)
    return jsonify(told_values(told)), 201


@route(
    blueprint,
    "POST",
    REPORT + "/differences/<int:number>/requeue",
    at_least(Role.OPERATOR),
    summary="Requeue the dead letters that make a difference; with `dry_run` only name them",
    requestBody=json_request(RequeuingBody),
    responses={**done("Which they are", RequeuedSchema), **problems(*REFUSALS)},
)
def requeue_its_dead(report_id: int, number: int) -> Response:
    here, dry = services(), read_body(RequeuingBody)["dry_run"]
    _must_be_an_id(report_id, "reconciliation")
    actor = current_identity().actor
    ids = requeue_dead_of(
        here.store, lambda moved: nudge_plants(here, moved), report_id, number, actor, here.clock, dry=dry
    )
    return jsonify({"count": len(ids), "ids": ids, "dry_run": dry})


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="What was proposed, the newest first",
    parameters=[
        query("state", "Only these", enum=list(STATES)),
        query("reconciliation", "Only of this report", type="integer"),
        *PAGING,
    ],
    responses={**done("A page", ProposalPageSchema), **problems("401", "403", "422")},
)
def show_proposals() -> Response:
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    state = parameters.word(request.args, "state", STATES)
    report_id = parameters.whole_number(request.args, "reconciliation")
    before = parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        rows = list_proposals(session, limit + 1, before, state, report_id)
        told = [told_values(told_proposal(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
    return jsonify({"proposals": told, "next": parameters.next_page(older)})


@route(
    blueprint,
    "GET",
    PATH + "/<int:proposal_id>",
    at_least(Role.VIEWER),
    summary="One proposal",
    responses={**done("The proposal", ProposalSchema), **problems("401", "403", "404")},
)
def show_one(proposal_id: int) -> Response:
    _must_be_an_id(proposal_id, "proposal")
    return jsonify(told_values(show_proposal(services().store, proposal_id)))


@route(
    blueprint,
    "POST",
    PATH + "/<int:proposal_id>/approve",
    at_least(Role.OPERATOR),
    summary="Have it done, as another person than who proposed it",
    requestBody=json_request(ApprovingBody),
    responses={**done("It is done; `outcome` says what was left out", ProposalSchema), **problems(*REFUSALS)},
)
def approve_one(proposal_id: int) -> Response:
    """The balances are compared once more: a difference that is not as it was proposed is left out."""
    here, reason = services(), read_body(ApprovingBody).get("reason")
    _must_be_an_id(proposal_id, "proposal")
    actor = current_identity().actor
    told = approve_proposal(here.store, here.topology, here.nudges, proposal_id, reason, actor, here.clock)
    return jsonify(told_values(told))


@route(
    blueprint,
    "POST",
    PATH + "/<int:proposal_id>/reject",
    at_least(Role.OPERATOR),
    summary="Turn it down",
    requestBody=json_request(RejectingBody),
    responses={**done("It is rejected", ProposalSchema), **problems(*REFUSALS)},
)
def reject_one(proposal_id: int) -> Response:
    here, reason = services(), read_body(RejectingBody)["reason"]
    _must_be_an_id(proposal_id, "proposal")
    actor = current_identity().actor
    return jsonify(told_values(reject_proposal(here.store, proposal_id, reason, actor, here.clock)))


def _must_be_an_id(number: int, what: str) -> None:
    if number > parameters.ID_MOST:
        raise Problem(404, "not_found", f"There is no {what} {number}.")
