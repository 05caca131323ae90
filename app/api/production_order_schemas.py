"""Production orders in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema
from app.projections.order_lists import Status
from app.projections.order_reports import Reported


class OrderItemSchema(Schema):
    item = fields.String(required=True)
    uom = fields.String(required=True)
    produced = fields.String(required=True, metadata=DECIMAL)
    consumed = fields.String(required=True, metadata=DECIMAL)
    scrapped = fields.String(required=True, metadata=DECIMAL)


class ProductionOrderSchema(Schema):
    plant = fields.String()
    order_id = fields.String()
    status = fields.String(metadata={"enum": [status.value for status in Status]})
    item = fields.String(allow_none=True)
    uom = fields.String(allow_none=True)
    planned = fields.String(metadata=DECIMAL)
    completed = fields.String(metadata=DECIMAL)
    scrapped = fields.String(metadata=DECIMAL)
    remaining = fields.String(metadata=DECIMAL)
    planned_start_at = fields.DateTime(allow_none=True)
    planned_end_at = fields.DateTime(allow_none=True)
    started_at = fields.DateTime(allow_none=True)
    reported_at = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)
    late_seconds = fields.Float(
        allow_none=True, metadata={"description": "How long after its planned end it ended, or is still open"}
    )
    released_message_id = fields.Integer(allow_none=True)
    items = fields.List(fields.Nested(OrderItemSchema))


class ProductionOrderPageSchema(Schema):
    production_orders = fields.List(fields.Nested(ProductionOrderSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class OrderReportSchema(Schema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer()
    kind = fields.String(metadata={"enum": [kind.value for kind in Reported]})
    item = fields.String(allow_none=True)
    quantity = fields.Nested(QuantitySchema, allow_none=True)
    lot = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    happened_at = fields.DateTime()
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata={"description": "Since when it counts no more"})


class OrderReportPageSchema(Schema):
    reports = fields.List(fields.Nested(OrderReportSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)
