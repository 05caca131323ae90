"""Business exceptions in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.business_exceptions.lookup import STATES


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


class ExceptionPageSchema(Schema):
    exceptions = fields.List(fields.Nested(ExceptionSchema), required=True)
    next = fields.String()


class AcknowledgingSchema(Schema):
    reason = fields.String()
