"""What a dead letter holds up, for the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.dead_letters.impact import PARTS


class ImpactValueSchema(Schema):
    amount = fields.String(
        allow_none=True, metadata={"description": "At standard cost; null where the cost of an item is not known"}
    )
    currency = fields.String(allow_none=True)
    unknown_items = fields.List(fields.String())


class OrderDueSchema(Schema):
    order = fields.String(required=True)
    due_at = fields.DateTime(required=True)
    ended = fields.Boolean(required=True)
    late_seconds = fields.Integer(allow_none=True, metadata={"description": "Null where it is not late, or has ended"})


class ImpactSchema(Schema):
    """What it is about, what presses for it, and one figure to sort by with the parts that it is the sum of."""

    points = fields.Integer(required=True)
    parts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": f"Points by part: {', '.join(PARTS)}"},
    )
    type = fields.String(
        allow_none=True, metadata={"description": "The canonical type; null where no mapping has read it"}
    )
    orders = fields.List(fields.String())
    lots = fields.List(fields.String())
    items = fields.List(fields.String())
    deliveries = fields.List(fields.String())
    purchase_orders = fields.List(fields.String())
    quantities = fields.List(fields.Dict(), metadata={"description": "By item, in its base unit"})
    value = fields.Nested(ImpactValueSchema)
    waiting = fields.Integer(
        metadata={"description": "Later messages of its key and those that wait for what it brings"}
    )
    shipments_waiting = fields.List(fields.String())
    due = fields.List(fields.Nested(OrderDueSchema))
    held_lots = fields.List(fields.String(), metadata={"description": "Its lots that an open hold covers"})
    weighed_at = fields.DateTime(
        allow_none=True, metadata={"description": "Since when it is so; null while nobody has looked"}
    )
