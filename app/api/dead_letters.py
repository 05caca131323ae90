"""Dead letters: list, show, requeue, correct, discard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import DiscardBody, RequeueBody, read_body, read_choice
from app.api.message_wire import message_wire, story_wire
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.reading import told_values
from app.api.routing import route
from app.api.schemas import (
    DeadChoiceSchema,
    DeadLetterStorySchema,
    DeadPageSchema,
    DiscardSchema,
    DoneSchema,
    DueAgainSchema,
)
from app.dead_letters.impact_lists import PAGE_MOST, Sort, impact_of, list_letters
from app.inbox.lookup import find_message, tell_story
from app.inbox.states import State
from app.web import parameters
from app.web.body import whole_body
from app.web.corrections import check_correction, read_letter
from app.web.dead_letter_acts import (
    Acted,
    correct_message,
    count_matching,
    discard_ids,
    look_at,
    requeue_filtered,
    requeue_ids,
)
from app.web.dead_letter_filter import filter_of_query, next_of, place_of_query, sort_of_query, unknown_code
from app.web.impacts import told_impact
from app.web.problems import FieldError, Problem
from app.web.services import services

blueprint = Blueprint("dead_letters", __name__, description="Messages that need a person.")
ABOUT = [
    query("order", "The production order that it is about"),
    query("lot", "A lot that it names"),
    query("item", "An item that it names"),
    query("delivery", "The delivery that it is about"),
    query("purchase_order", "The purchase order that it is about"),
]
VIEWER, OPERATOR = at_least(Role.VIEWER), at_least(Role.OPERATOR)


@route(
    blueprint,
    "GET",
    "/v1/admin/dead-letters",
    VIEWER,
    summary="List dead letters, newest first, or those first that hold up most",
    parameters=[
        query("plant", "The plant's code"),
        query("source", "The source's code"),
        query("type", "The type as it was sent"),
        query("reason_code", "Such as `unit_unknown`"),
        query("dead_after", "Dead since this instant"),
        query("dead_before", "Dead before this instant"),
        *ABOUT,
        query("sort", "What comes first", enum=[sort.value for sort in Sort], default=Sort.NEWEST.value),
        *PAGING,
        query("after", "By impact: where the page before ended; `next` holds it"),
    ],
    responses={**done("A page", DeadPageSchema), **problems("401", "403", "422")},
)
def list_dead_letters() -> Response:
    """Each with its `impact`: what it is about, what waits for it, and the points that `sort=impact` sorts by. It is
    weighed anew all the time, so it is some seconds old at most."""
    here, asked = services(), request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    chosen, sort, now = filter_of_query(asked), sort_of_query(asked, Sort.NEWEST), here.clock()
    with here.store.reading() as session:
        page = list_letters(session, chosen, sort, limit, place_of_query(asked, sort))
        rows = [
            message_wire(each.message) | {"impact": told_values(told_impact(each.impact, now))} for each in page.letters
        ]
    return jsonify({"dead_letters": rows, "next": next_of(page, sort)})


@route(
    blueprint,
    "GET",
    "/v1/admin/dead-letters/<int:message_id>",
    VIEWER,
    summary="One dead letter with everything that is known of it",
    responses={**done("The message", DeadLetterStorySchema), **problems("401", "403", "404")},
)
def show_dead_letter(message_id: int) -> Response:
    with services().store.reading() as session:
        message = find_message(session, message_id) if message_id <= parameters.ID_MOST else None
        if message is None or message.state != State.DEAD:
            raise _no_dead_letter(message_id)
        impact = impact_of(session, message_id)
        told = None if impact is None else told_values(told_impact(impact, services().clock()))
        return jsonify(story_wire(tell_story(session, message)) | {"impact": told})


@route(
    blueprint,
    "POST",
    "/v1/admin/dead-letters/requeue",
    OPERATOR,
    summary="Requeue dead letters, by ids or by filter",
    requestBody=json_request(DeadChoiceSchema),
    responses={**done("How many", DoneSchema), **problems("400", "401", "403", "413", "415", "422", "503")},
)
def requeue_dead_letters() -> Response:
    """The same messages again, through today's mapping. With `dry_run` only counts. `more` says that a filter matches
    further ones: repeat the request. `not_dead` names ids that are no dead letters.

    What died before its ordering key was known, and was overtaken by later messages of it, is dead again
    (`out_of_order`), unless `out_of_order` says why it may take effect after them."""
    body = read_body(RequeueBody)
    chosen, here, actor = read_choice(body), services(), current_identity().actor
    why = body["out_of_order"]
    if isinstance(chosen, list):
        return _acted(look_at(here, chosen) if body["dry_run"] else requeue_ids(here, chosen, actor, why), body)
    acted = Acted(count_matching(here, chosen), []) if body["dry_run"] else requeue_filtered(here, chosen, actor, why)
    if not acted.count and (unknown := unknown_code(chosen, here.topology)):
        raise Problem(422, "refused", unknown, [FieldError("is unknown", pointer="/filter")])
    return _acted(acted, body)


@route(
    blueprint,
    "POST",
    "/v1/admin/dead-letters/discard",
    OPERATOR,
    summary="Discard dead letters for good, with a reason",
    requestBody=json_request(DiscardSchema),
    responses={**done("How many", DoneSchema), **problems("400", "401", "403", "409", "413", "415", "422", "503")},
)
def discard_dead_letters() -> Response:
    """Later messages of the same key go on. Refused for a message of which a target holds a part."""
    body = read_body(DiscardBody)
    return _acted(discard_ids(services(), body["ids"], current_identity().actor, body["reason"]), body)


@route(
    blueprint,
    "PUT",
    "/v1/admin/dead-letters/<int:message_id>",
    OPERATOR,
    summary="Correct a dead letter's payload and resubmit it",
    requestBody={"required": True, "content": {"*/*": {"schema": {}}}},
    responses={
        **done("Due again with the new payload", DueAgainSchema, "202"),
        **problems("400", "401", "403", "404", "409", "413", "422", "503"),
    },
)
def correct_dead_letter(message_id: int) -> Response:
    """The body takes the place of what was received, in the same content type; what was received is kept beside it."""
    body = whole_body()
    with services().store.reading() as session:
        letter = read_letter(session, message_id)
    check_correction(letter, body)
    correct_message(services(), message_id, body, current_identity().actor)
    response = jsonify({"id": message_id, "status": "accepted"})
    response.status_code = 202
    response.headers["Location"] = url_for("message_reads.show_message", message_id=message_id)
    return response


def _no_dead_letter(message_id: int) -> Problem:
    return Problem(404, "not_found", f"There is no dead letter {message_id}.")


def _acted(acted: Acted, asked: Mapping[str, Any]) -> Response:
    told: dict[str, Any] = {"count": acted.count}
    told |= {"dry_run": True} if asked.get("dry_run") else {"ids": acted.ids, "more": acted.more}
    if "ids" in asked:
        told["not_dead"] = [each.wire() for each in acted.not_dead]
    return jsonify(told)
