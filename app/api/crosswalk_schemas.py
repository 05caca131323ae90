"""Crosswalks in the OpenAPI document, and the body that changes one."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate


class CrosswalkEntrySchema(Schema):
    system = fields.String(required=True, metadata={"description": "The source's or target's code"})
    name = fields.String(required=True, metadata={"description": "The table, such as `units`"})
    value = fields.String(required=True, metadata={"description": "What stands on the side that is mapped from"})
    becomes = fields.String(required=True)
    changed_at = fields.DateTime(required=True)
    changed_by = fields.String(required=True)


class CrosswalkPageSchema(Schema):
    entries = fields.List(fields.Nested(CrosswalkEntrySchema), required=True)
    next = fields.String(allow_none=True)


class CrosswalkMissingSchema(Schema):
    system = fields.String(required=True)
    name = fields.String(required=True)
    value = fields.String(required=True)
    messages = fields.Integer(required=True, metadata={"description": "How many messages wait for it"})
    first_message = fields.Integer(required=True, metadata={"description": "The oldest of them"})


class CrosswalkMissingListSchema(Schema):
    missing = fields.List(fields.Nested(CrosswalkMissingSchema), required=True)


class CrosswalkChangeSchema(Schema):
    id = fields.Integer(required=True)
    system = fields.String(required=True)
    name = fields.String(required=True)
    value = fields.String(required=True)
    before = fields.String(allow_none=True, metadata={"description": "null for a new entry"})
    after = fields.String(allow_none=True, metadata={"description": "null for one that was removed"})
    at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    note = fields.String(allow_none=True)


class CrosswalkHistorySchema(Schema):
    changes = fields.List(fields.Nested(CrosswalkChangeSchema), required=True)
    next = fields.String(allow_none=True)


class CrosswalkChangedSchema(Schema):
    changed = fields.Integer(required=True, metadata={"description": "How many entries were not so before"})


class EntryBody(Schema):
    class Meta:
        unknown = RAISE

    value = fields.String(required=True)
    becomes = fields.String(required=True, allow_none=True, metadata={"description": "null removes the entry"})


class CrosswalkBody(Schema):
    class Meta:
        unknown = RAISE

    system = fields.String(required=True)
    name = fields.String(required=True)
    entries = fields.List(fields.Nested(EntryBody), required=True, validate=validate.Length(min=1, max=500))
    note = fields.String(allow_none=True, load_default=None)
