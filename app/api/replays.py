"""Replays: what posted messages would become through today's mapping, and the replay of those that would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import ReplayBody, read_body
from app.api.openapi_parts import done, json_request, problems
from app.api.routing import route
from app.inbox.lookup import MessageFilter
from app.mapping_changes.replaying import REPLAYED_MOST, Order, Verdict, look_at, posted_ids, replay_changed
from app.web.dead_letter_acts import nudge_plants
from app.web.problems import FieldError, Problem
from app.web.services import Services, services

blueprint = Blueprint("replays", __name__, description="Past messages, through today's mapping.")


class ReplayFilterSchema(Schema):
    plant = fields.String()
    source = fields.String()
    type = fields.String(metadata={"description": "As it was sent"})
    received_after = fields.AwareDateTime()
    received_before = fields.AwareDateTime()


class ReplayRequestSchema(Schema):
    ids = fields.List(fields.Integer(), metadata={"description": f"At most {REPLAYED_MOST}"})
    filter = fields.Nested(ReplayFilterSchema, metadata={"description": "Instead of ids: posted ones, newest first"})
    limit = fields.Integer(load_default=50, metadata={"description": f"Of a filter; at most {REPLAYED_MOST}"})
    before = fields.Integer(metadata={"description": "Of a filter: where the answer before ended; `next` holds it"})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Only say what would change"})
    reason = fields.String(metadata={"description": "Needed unless `dry_run`; kept with the messages and in the trail"})


class ReplayChangeSchema(Schema):
    path = fields.String(required=True, metadata={"description": "Event type and field, or target and field"})
    old = fields.Raw(allow_none=True)
    new = fields.Raw(allow_none=True)


class ReplayDocumentSchema(Schema):
    target = fields.String(required=True)
    type = fields.String(required=True)
    reference = fields.String(allow_none=True)


class ReplayOutlookSchema(Schema):
    id = fields.Integer(required=True)
    verdict = fields.String(required=True, metadata={"enum": [verdict.value for verdict in Verdict]})
    reason = fields.String(allow_none=True)
    field = fields.String(allow_none=True)
    changes = fields.List(fields.Nested(ReplayChangeSchema))
    reverses = fields.List(fields.Nested(ReplayDocumentSchema), metadata={"description": "Undone first"})
    posts = fields.List(fields.Nested(ReplayDocumentSchema), metadata={"description": "Made afterwards"})
    replay = fields.Integer(allow_none=True, metadata={"description": "The message that takes its place"})


class ReplayAnswerSchema(Schema):
    count = fields.Integer(required=True, metadata={"description": "So many are replayed, or would be"})
    dry_run = fields.Boolean(required=True)
    messages = fields.List(fields.Nested(ReplayOutlookSchema), required=True)
    next = fields.Integer(required=True, allow_none=True, metadata={"description": "For `before`; null at the end"})


@route(
    blueprint,
    "POST",
    "/v1/admin/replay",
    at_least(Role.OPERATOR),
    summary="Replay posted messages through today's mapping, or say what that would change",
    requestBody=json_request(ReplayRequestSchema),
    responses={**done("Each message", ReplayAnswerSchema), **problems("400", "401", "403", "413", "415", "422", "503")},
)
def replay_messages() -> Response:
    """A message that would come out otherwise is reversed in every target that holds it; then a new message with the
    same content is mapped and posted in its place. Nothing else is touched: what would be the same, what today's
    mapping would refuse, and what is not posted stays as it is, and says why."""
    body, here = read_body(ReplayBody), services()
    ids, following = _chosen(here, body)
    if body["dry_run"]:
        found = list(look_at(here.store, here.topology, ids))
    elif body["reason"] is None:
        raise Problem(422, "refused", "A replay needs a reason.", [FieldError("is missing", pointer="/reason")])
    else:
        order = Order(current_identity().actor, body["reason"], here.clock)
        found = list(replay_changed(here.store, here.topology, ids, order))
        nudge_plants(here, {key for one in found if one.replay_id for key in (one.message_id, one.replay_id)})
    changed = [one for one in found if one.verdict is Verdict.CHANGES]
    told = {"count": len(changed), "dry_run": body["dry_run"], "messages": [one.wire() for one in found]}
    return jsonify(told | {"next": following})


def _chosen(here: Services, body: Mapping[str, Any]) -> tuple[list[int], int | None]:
    if ("ids" in body) == ("filter" in body):
        raise Problem(422, "refused", "Give either `ids` or `filter` (`{}` for all that is posted).")
    if "ids" in body:
        return list(dict.fromkeys(body["ids"])), None
    asked = dict(body["filter"])
    plants = (asked.pop("plant"),) if "plant" in asked else ()
    with here.store.reading() as session:
        return posted_ids(session, MessageFilter(plants=plants, **asked), body["limit"], body.get("before"))
