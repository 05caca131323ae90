"""Webhook subscribers: make, change, pause, resume, test, replay, and what became of each delivery."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import PauseBody, read_body
from app.api.openapi_parts import PAGING, done, json_request, problems, query
from app.api.reading import told_values
from app.api.routing import route
from app.api.schemas import PausingSchema
from app.api.webhook_schemas import (
    WebhookDeliveriesSchema,
    WebhookDeliveryDetailSchema,
    WebhookNewSubscriberSchema,
    WebhookReplayBody,
    WebhookReplayedSchema,
    WebhookSecretSchema,
    WebhookSubscriberBody,
    WebhookSubscriberChangeBody,
    WebhookSubscriberSchema,
    WebhookSubscribersSchema,
    WebhookTestedSchema,
)
from app.inbox.lookup import PAGE_MOST
from app.projections.feed_reading import newest_position
from app.web import parameters
from app.web.problems import Problem
from app.web.services import services
from app.web.webhooks import (
    ReplaySpan,
    Webhooks,
    refusal_of,
    told_attempts,
    told_delivery,
    told_subscriber,
    webhooks_of,
)
from app.webhooks.deliveries import STATES, attempts_of, find_delivery, list_deliveries
from app.webhooks.subscribers import SubscriberRefused, Wanted, find_subscriber, list_subscribers

blueprint = Blueprint("webhooks", __name__, description="Who is told of events by signed webhooks.")

ONE = "/v1/webhooks/<int:subscriber_id>"
REFUSALS = ("401", "403", "404", "503")


def acts() -> Webhooks:
    here = services()
    return webhooks_of(here.store, here.settings, here.topology, current_identity().actor, here.clock())


@route(
    blueprint,
    "GET",
    "/v1/webhooks",
    at_least(Role.VIEWER),
    summary="Every subscriber",
    responses={**done("All of them, 500 at the most", WebhookSubscribersSchema), **problems("401", "403")},
)
def list_all() -> Response:
    with services().store.reading() as session:
        newest = newest_position(session)
        rows = [told_values(told_subscriber(session, row, newest)) for row in list_subscribers(session)]
    return jsonify({"webhooks": rows})


@route(
    blueprint,
    "POST",
    "/v1/webhooks",
    at_least(Role.ADMIN),
    summary="Make a subscriber; its secret is shown once",
    requestBody=json_request(WebhookSubscriberBody),
    responses={
        **done("It is told of what takes effect from now on", WebhookNewSubscriberSchema, "201"),
        **problems("400", "401", "403", "413", "415", "422", "503"),
    },
)
def make_one() -> Response:
    """The URL is https, and leads to public addresses only, unless the topology allows its host
    (`webhooks: allow:`)."""
    body = dict(read_body(WebhookSubscriberBody))
    name, url = body.pop("name"), body.pop("url")
    try:
        subscriber_id, secret = acts().add(name, url, Wanted(**body))
    except SubscriberRefused as error:
        raise refusal_of(error) from None
    response = jsonify({**_told(subscriber_id), "secret": secret})
    response.status_code = 201
    response.headers["Location"] = f"/v1/webhooks/{subscriber_id}"
    return response


@route(
    blueprint,
    "GET",
    ONE,
    at_least(Role.VIEWER),
    summary="One subscriber",
    responses={**done("The subscriber", WebhookSubscriberSchema), **problems("401", "403", "404")},
)
def show_one(subscriber_id: int) -> Response:
    return jsonify(_told(subscriber_id))


@route(
    blueprint,
    "PATCH",
    ONE,
    at_least(Role.ADMIN),
    summary="Change a subscriber's URL or what it is told of",
    requestBody=json_request(WebhookSubscriberChangeBody),
    responses={**done("As it is now", WebhookSubscriberSchema), **problems("400", "413", "415", "422", *REFUSALS)},
)
def change_one(subscriber_id: int) -> Response:
    body = dict(read_body(WebhookSubscriberChangeBody))
    try:
        acts().change(subscriber_id, body.pop("url", None), body)
    except SubscriberRefused as error:
        raise refusal_of(error) from None
    return jsonify(_told(subscriber_id))


@route(
    blueprint,
    "DELETE",
    ONE,
    at_least(Role.ADMIN),
    summary="Remove a subscriber with its deliveries",
    responses={"204": {"description": "It is gone"}, **problems(*REFUSALS)},
)
def remove_one(subscriber_id: int) -> Response:
    acts().remove(subscriber_id)
    return Response(status=204)


@route(
    blueprint,
    "POST",
    ONE + "/pause",
    at_least(Role.OPERATOR),
    summary="Send it nothing",
    requestBody=json_request(PausingSchema),
    responses={
        **done("It is paused", WebhookSubscriberSchema),
        **problems("400", "409", "413", "415", "422", *REFUSALS),
    },
)
def pause_one(subscriber_id: int) -> Response:
    """It misses nothing: once it is resumed it goes on where it was."""
    if not acts().pause(subscriber_id, read_body(PauseBody)["reason"]):
        raise Problem(409, "not_possible", f"Webhook subscriber {subscriber_id} is paused already.")
    return jsonify(_told(subscriber_id))


@route(
    blueprint,
    "POST",
    ONE + "/resume",
    at_least(Role.OPERATOR),
    summary="Send it what it missed, and go on",
    responses={**done("It goes on", WebhookSubscriberSchema), **problems("409", *REFUSALS)},
)
def resume_one(subscriber_id: int) -> Response:
    if not acts().resume(subscriber_id):
        raise Problem(409, "not_possible", f"Webhook subscriber {subscriber_id} is neither paused nor left alone.")
    return jsonify(_told(subscriber_id))


@route(
    blueprint,
    "POST",
    ONE + "/rotate-secret",
    at_least(Role.ADMIN),
    summary="Give it a new secret",
    responses={**done("The new secret", WebhookSecretSchema), **problems(*REFUSALS)},
)
def rotate_one(subscriber_id: int) -> Response:
    """For 24 hours each call is signed with both secrets, so the receiver may change when it likes."""
    return jsonify({"secret": acts().rotate(subscriber_id)})


@route(
    blueprint,
    "POST",
    ONE + "/test",
    at_least(Role.OPERATOR),
    summary="Send it a test event",
    responses={**done("It is sent within seconds", WebhookTestedSchema, "202"), **problems(*REFUSALS)},
)
def send_test(subscriber_id: int) -> tuple[Response, int]:
    return jsonify({"delivery": acts().send_test(subscriber_id)}), 202


@route(
    blueprint,
    "POST",
    ONE + "/replay",
    at_least(Role.OPERATOR),
    summary="Send a span of the feed again",
    requestBody=json_request(WebhookReplayBody),
    responses={
        **done("They are sent again", WebhookReplayedSchema, "202"),
        **problems("400", "413", "415", "422", *REFUSALS),
    },
)
def replay_span(subscriber_id: int) -> tuple[Response, int]:
    """What it wants of the span, by its filter of today, under the same webhook ids: a receiver that keeps those takes
    none twice. At most some 10,000 events at once; `next_after` is where the rest begins."""
    done_ = acts().replay(subscriber_id, ReplaySpan(**read_body(WebhookReplayBody)))
    return jsonify({"events": done_.events, "next_after": done_.next_after}), 202


@route(
    blueprint,
    "GET",
    ONE + "/deliveries",
    at_least(Role.VIEWER),
    summary="Its deliveries, the newest first",
    parameters=[query("state", "One of them", enum=list(STATES)), *PAGING],
    responses={**done("A page", WebhookDeliveriesSchema), **problems("401", "403", "404", "422")},
)
def list_of_one(subscriber_id: int) -> Response:
    asked = request.args
    limit, before = parameters.whole_number(asked, "limit", PAGE_MOST) or 50, parameters.whole_number(asked, "before")
    state = parameters.word(asked, "state", STATES)
    _told(subscriber_id)
    with services().store.reading() as session:
        rows = list_deliveries(session, subscriber_id, state, limit + 1, before)
        told = [told_values(told_delivery(row)) for row in rows[:limit]]
        older = rows[limit - 1].id if len(rows) > limit else None
    return jsonify({"deliveries": told, "next": parameters.next_page(older)})


@route(
    blueprint,
    "GET",
    ONE + "/deliveries/<int:delivery_id>",
    at_least(Role.VIEWER),
    summary="One delivery with its attempts",
    responses={**done("The delivery", WebhookDeliveryDetailSchema), **problems("401", "403", "404")},
)
def show_delivery(subscriber_id: int, delivery_id: int) -> Response:
    with services().store.reading() as session:
        row = None
        if max(subscriber_id, delivery_id) <= parameters.ID_MOST:
            row = find_delivery(session, subscriber_id, delivery_id)
        if row is None:
            raise Problem(404, "not_found", f"Subscriber {subscriber_id} has no delivery {delivery_id}.")
        tries = [told_values(one) for one in told_attempts(attempts_of(session, row.id))]
        told = told_values(told_delivery(row))
    return jsonify({**told, "tries": tries})


def _told(subscriber_id: int) -> dict[str, Any]:
    with services().store.reading() as session:
        row = find_subscriber(session, subscriber_id) if subscriber_id <= parameters.ID_MOST else None
        if row is None:
            raise Problem(404, "not_found", f"There is no webhook subscriber {subscriber_id}.")
        return told_values(told_subscriber(session, row, newest_position(session)))
