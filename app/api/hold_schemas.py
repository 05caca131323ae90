"""Quality holds in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.inventory_schemas import BehindSchema, QuantitySchema
from app.projections.ledger import STATUSES


class HoldSchema(Schema):
    """Of one subject; what is null is not named: a hold without a lot is one of every lot."""

    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata={"description": "Which of the message's events"})
    plant = fields.String()
    item = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    serial = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": list(STATUSES), "description": "`unrestricted` is a release"})
    reason = fields.String(allow_none=True)
    inspection_ref = fields.String(allow_none=True, metadata={"description": "`type:id:line` of the inspection"})
    quantity = fields.Nested(QuantitySchema, allow_none=True, metadata={"description": "null is all of it"})
    open = fields.Boolean(metadata={"description": "Whether it is the last word about its subject, and holds it"})
    happened_at = fields.DateTime()
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata={"description": "Since when it counts no more"})


class HoldPageSchema(Schema):
    quality_holds = fields.List(fields.Nested(HoldSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)
