"""What parties see, in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema


class OwnOrderLineSchema(Schema):
    line = fields.String()
    item = fields.String()
    uom = fields.String()
    ordered = fields.String(metadata=DECIMAL)
    received = fields.String(metadata=DECIMAL)
    rejected = fields.String(metadata=DECIMAL)
    open = fields.String(metadata={**DECIMAL, "description": "Still to come; what was rejected is still owed"})
    need_by_at = fields.DateTime(allow_none=True)


class OwnOrderSchema(Schema):
    purchase_order = fields.String()
    plant = fields.String()
    buyer = fields.String(allow_none=True)
    open = fields.Boolean()
    placed_at = fields.DateTime(allow_none=True)
    need_by_at = fields.DateTime(allow_none=True)
    received_at = fields.DateTime(allow_none=True)
    lines = fields.List(fields.Nested(OwnOrderLineSchema))


class _PageSchema(Schema):
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class OwnOrderPageSchema(_PageSchema):
    orders = fields.List(fields.Nested(OwnOrderSchema), required=True)
    lines_left_out = fields.Boolean(metadata={"description": "Whether lines are left out; ask for fewer orders"})


class OwnReceiptSchema(Schema):
    purchase_order = fields.String()
    line = fields.String(allow_none=True)
    plant = fields.String()
    item = fields.String()
    lot = fields.String(allow_none=True)
    uom = fields.String()
    received = fields.String(metadata=DECIMAL)
    accepted = fields.String(metadata=DECIMAL)
    rejected = fields.String(metadata=DECIMAL)
    reason = fields.String(allow_none=True)
    received_at = fields.DateTime()


class OwnReceiptPageSchema(_PageSchema):
    receipts = fields.List(fields.Nested(OwnReceiptSchema), required=True)


class OwnHoldSchema(Schema):
    plant = fields.String()
    item = fields.String()
    lot = fields.String()
    serial = fields.String(allow_none=True)
    status = fields.String()
    reason = fields.String(allow_none=True)
    quantity = fields.Nested(QuantitySchema, allow_none=True)
    held_at = fields.DateTime()


class OwnHoldPageSchema(_PageSchema):
    holds = fields.List(fields.Nested(OwnHoldSchema), required=True)


class MilestoneSchema(Schema):
    milestone = fields.String(metadata={"enum": ["released", "produced", "packed", "shipped"]})
    reached = fields.Boolean()
    at = fields.DateTime(allow_none=True, metadata={"description": "None where nobody told when"})


class OwnDeliveryLineSchema(Schema):
    item = fields.String()
    quantity = fields.Nested(QuantitySchema)
    lot = fields.String(allow_none=True)
    serials = fields.List(fields.String())
    sscc = fields.String(allow_none=True)


class OwnDeliverySchema(Schema):
    delivery_id = fields.String()
    plant = fields.String()
    carrier = fields.String(allow_none=True)
    packages = fields.List(fields.String())
    milestones = fields.List(fields.Nested(MilestoneSchema))
    lines = fields.List(fields.Nested(OwnDeliveryLineSchema))


class OwnDeliveryPageSchema(_PageSchema):
    deliveries = fields.List(fields.Nested(OwnDeliverySchema), required=True)
    lines_left_out = fields.Boolean(metadata={"description": "Whether lines are left out; ask for fewer deliveries"})
