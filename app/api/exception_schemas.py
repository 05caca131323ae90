"""Business exceptions in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.business_exceptions.lookup import STATES


class NamedMessagesSchema(Schema):
    ids = fields.List(fields.Integer(), required=True)
    more = fields.Integer(required=True, metadata={"description": "How many there are besides"})


class ValueSchema(Schema):
    value = fields.String(required=True, metadata={"description": "A decimal"})
    currency = fields.String(required=True)


class ExceptionSchema(Schema):
    id = fields.Integer(required=True)
    rule = fields.String(required=True, metadata={"description": "A stable word, such as `numbers_missing`"})
    plant = fields.String(allow_none=True)
    source = fields.String(allow_none=True)
    subject = fields.String(required=True, metadata={"description": "What it is about, in words"})
    severity = fields.String(required=True, metadata={"enum": ["notice", "warning", "serious"]})
    message = fields.String(required=True, metadata={"description": "What is wrong, and what to do"})
    missing_from = fields.String(allow_none=True, metadata={"description": "Where the missing range begins"})
    missing_to = fields.String(allow_none=True, metadata={"description": "Where it ends; null while it is open"})
    detail = fields.Dict(allow_none=True)
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    times = fields.Integer(required=True, metadata={"description": "How often it was seen, or changed"})
    first_seen_at = fields.DateTime(required=True)
    last_seen_at = fields.DateTime(required=True)
    acknowledged_at = fields.DateTime(allow_none=True)
    acknowledged_by = fields.String(allow_none=True)
    resolved_at = fields.DateTime(allow_none=True)
    resolved_by = fields.String(allow_none=True, metadata={"description": "`lineside` where its cause was gone"})
    resolution = fields.String(allow_none=True)
    process = fields.String(allow_none=True, metadata={"description": "ISA-95 operations type, or `integration`"})
    object_type = fields.String(allow_none=True, metadata={"description": "Such as `production_order`, `item`, `lot`"})
    object_id = fields.String(allow_none=True)
    messages = fields.Nested(NamedMessagesSchema, required=True)
    owner = fields.String(allow_none=True, metadata={"description": "As the topology names it"})
    value_at_risk = fields.Nested(ValueSchema, allow_none=True, metadata={"description": "Null where it is not known"})
    escalation = fields.Integer(required=True, metadata={"description": "How many steps it went up"})
    told_at = fields.DateTime(allow_none=True, metadata={"description": "When its owner was told first"})


class NoticeSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": ["raised", "escalated", "resolved", "digest"]})
    owner = fields.String(required=True)
    channel = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": ["waiting", "sent", "dead"]})
    tries = fields.Integer(required=True)
    trouble = fields.String(allow_none=True, metadata={"description": "Why the last try failed"})
    created_at = fields.DateTime(required=True)
    due_at = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)


class ExceptionDetailSchema(ExceptionSchema):
    notices = fields.List(fields.Nested(NoticeSchema), required=True)


class RuleSchema(Schema):
    rule = fields.String(required=True)
    plant = fields.String(allow_none=True)
    process = fields.String(required=True)
    enabled = fields.Boolean(required=True)
    threshold = fields.Dict(required=True, metadata={"description": "By the key that names its unit"})
    severity = fields.String(required=True)
    owner = fields.String(allow_none=True)


class RulesSchema(Schema):
    rules = fields.List(fields.Nested(RuleSchema), required=True)


class ExceptionPageSchema(Schema):
    exceptions = fields.List(fields.Nested(ExceptionSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class AcknowledgingSchema(Schema):
    reason = fields.String()
