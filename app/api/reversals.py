"""Have a message reversed: everything that targets hold of it."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import ReverseBody, read_body
from app.api.openapi_parts import done, json_request, problems
from app.api.routing import route
from app.api.schemas import DueAgainSchema, ReverseSchema
from app.inbox.lookup import find_message
from app.web import parameters
from app.web.dead_letter_acts import reverse_message
from app.web.problems import Problem
from app.web.services import services

blueprint = Blueprint("reversals", __name__, description="What targets hold, undone by their own reversal.")


@route(
    blueprint,
    "POST",
    "/v1/admin/messages/<int:message_id>/reverse",
    at_least(Role.OPERATOR),
    summary="Reverse what targets hold of a message",
    requestBody=json_request(ReverseSchema),
    responses={
        **done("Its reversal is due", DueAgainSchema, "202"),
        **problems("400", "401", "403", "404", "409", "413", "415", "422", "503"),
    },
)
def order_reversal(message_id: int) -> Response:
    """A posted message is `compensated` in the end; a dead one of which a target holds a part is dead again, and can
    then be corrected, requeued or discarded. Refused for any other."""
    body, here = read_body(ReverseBody), services()
    with here.store.reading() as session:
        known = message_id <= parameters.ID_MOST and find_message(session, message_id) is not None
    if not known:
        raise Problem(404, "not_found", f"There is no message {message_id}.")
    reverse_message(here, message_id, body["reason"], current_identity().actor, body["by_hand"])
    response = jsonify({"id": message_id, "status": "accepted"})
    response.status_code = 202
    response.headers["Location"] = url_for("message_reads.show_message", message_id=message_id)
    return response
