"""Postings of which nobody knows whether the target holds them, and a person's word on one."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import DecideBody, RequeuePostingBody, read_body
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.posting_schemas import DecidedSchema, DecideSchema, PostingPageSchema, RequeuePostingSchema
from app.api.reading import told_values
from app.api.routing import route
from app.dead_letters.decide import Decided
from app.postings.listing import PAGE_MOST, ListedPosting, list_postings
from app.web import parameters
from app.web.decision_acts import decide_posting, decision_of, make_posting_again, reason_of, state_of_query
from app.web.impacts import impacts_of
from app.web.services import services

blueprint = Blueprint("postings", __name__, description="What targets hold, and what nobody knows of.")


@route(
    blueprint,
    "GET",
    "/v1/admin/postings",
    at_least(Role.VIEWER),
    summary="List postings in one state, newest first",
    parameters=[
        query("state", "A posting's state; `unknown` unless told"),
        query("target", "The target's code"),
        *PAGING,
    ],
    responses={**done("A page", PostingPageSchema), **problems("401", "403", "422")},
)
def list_page() -> Response:
    """An `unknown` outcome is asked for again while its message waits. Where the message is dead nobody asks any more:
    requeue it, or decide. `impact` is what the posting's message holds up at this moment."""
    asked = request.args
    state, target = state_of_query(asked.get("state", "")), parameters.text(asked, "target")
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    with services().store.reading() as session:
        page = list_postings(session, state, target, limit, parameters.whole_number(asked, "before"))
        impacts = impacts_of(session, [row.message for row in page.rows], services().clock())
        rows = [_wire(row) | {"impact": told_values(impacts[row.message.id])} for row in page.rows]
    return jsonify({"postings": rows, "next": parameters.next_page(page.before)})


@route(
    blueprint,
    "POST",
    "/v1/admin/postings/<int:posting_id>/decide",
    at_least(Role.OPERATOR),
    summary="Say what became of a posting whose outcome is unknown",
    requestBody=json_request(DecideSchema),
    responses={
        **done("What posting and message are now", DecidedSchema),
        **problems("400", "401", "403", "404", "409", "413", "415", "422", "503"),
    },
)
def decide_one(posting_id: int) -> Response:
    """`posted`: it is taken as posted, with your reason as the proof, and the message goes on with what is left.
    `not_posted`: it is sent again without asking, under the same key. A dead message is requeued by it unless
    `stays_dead`. 409 with `posting_state` where a worker is at work on it, or somebody was faster."""
    body = read_body(DecideBody)
    decision = decision_of(body["outcome"], body["reason"], body["reference"], body["stays_dead"])
    return _decided(decide_posting(services(), posting_id, decision, current_identity().actor))


@route(
    blueprint,
    "POST",
    "/v1/admin/postings/<int:posting_id>/requeue",
    at_least(Role.OPERATOR),
    summary="Have a posting made again that is not required and was refused",
    requestBody=json_request(RequeuePostingSchema),
    responses={
        **done("What posting and message are now", DecidedSchema),
        **problems("400", "401", "403", "404", "409", "413", "415", "422", "503"),
    },
)
def requeue_one(posting_id: int) -> Response:
    """Under the same key, behind its message, which is posted and stays so. What nobody asks for any more is asked for.
    409 with `posting_state` where it is required (requeue its message), or not at its end."""
    reason = reason_of(read_body(RequeuePostingBody)["reason"])
    return _decided(make_posting_again(services(), posting_id, reason, current_identity().actor))


def _decided(decided: Decided) -> Response:
    told = {"id": decided.posting_id, "state": decided.posting_state}
    return jsonify(told | {"message": {"id": decided.message_id, "state": decided.message_state}})


def _wire(row: ListedPosting) -> dict[str, Any]:
    posting, message = row.posting, row.message
    return {
        "id": posting.id,
        "state": row.state,
        "target": posting.target,
        "plant": posting.plant,
        "kind": posting.kind,
        "posting_key": posting.posting_key,
        "required": posting.required,
        "since": instant(row.since),
        "updated_at": instant(posting.updated_at),
        "attempts": posting.attempts,
        "reference": posting.reference,
        "reason_code": posting.reason_code,
        "reason": posting.reason,
        "document": posting.document,
        "reverses": None if posting.reverses_id is None else {"id": posting.reverses_id, "reference": row.undoes},
        "message": {
            "id": message.id,
            "state": message.state,
            "source": message.source,
            "source_message_id": message.source_message_id,
            "type": message.type,
            "due_at": instant(message.due_at),
            "reason_code": message.reason_code,
            "reason": message.reason,
        },
        "links": {"message": url_for("message_reads.show_message", message_id=message.id)},
    }
