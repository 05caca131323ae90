"""Postings by themselves, and a person's word on one, for the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.impact_schemas import ImpactSchema
from app.postings.ledger import PostingState

STATES = [state.value for state in PostingState]


class ListedPostingSchema(Schema):
    id = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"enum": STATES})
    target = fields.String(required=True)
    plant = fields.String(required=True)
    kind = fields.String(required=True)
    posting_key = fields.String(required=True)
    required = fields.Boolean()
    since = fields.DateTime(
        required=True, metadata={"description": "When the first call began that may have had its effect"}
    )
    updated_at = fields.DateTime()
    attempts = fields.Integer(required=True)
    reference = fields.String(allow_none=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True, metadata={"description": "Why the target cannot tell"})
    document = fields.Dict(metadata={"description": "What was sent"})
    reverses = fields.Dict(
        allow_none=True, metadata={"description": "Of a reversal: id and reference of the posting that it undoes"}
    )
    message = fields.Dict(required=True, metadata={"description": "The message that it belongs to, and its state"})
    impact = fields.Nested(ImpactSchema, required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String())


class PostingPageSchema(Schema):
    postings = fields.List(fields.Nested(ListedPostingSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "The next page; null at the end"})


class DecideSchema(Schema):
    outcome = fields.String(required=True, metadata={"enum": ["posted", "not_posted"]})
    reason = fields.String(required=True, metadata={"description": "How you know it; kept with the posting"})
    reference = fields.String(metadata={"description": "The target's own name for the document, where it is posted"})
    stays_dead = fields.Boolean(
        load_default=False,
        metadata={"description": "Do not requeue a dead message, so that it can be corrected or discarded"},
    )


class RequeuePostingSchema(Schema):
    reason = fields.String(required=True, metadata={"description": "Why it is made again; kept with the message"})


class DecidedSchema(Schema):
    id = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"enum": STATES})
    message = fields.Dict(required=True, metadata={"description": "Id and state of its message"})
