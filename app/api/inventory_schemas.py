"""Stock and movements in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

DECIMAL = {"description": "A decimal number, as text", "example": "12.5"}


def _said(description: str) -> dict[str, str]:
    return {**DECIMAL, "description": f"{description}. A decimal number, as text"}


class QuantitySchema(Schema):
    value = fields.String(required=True, metadata=DECIMAL)
    uom = fields.String(required=True)


class BehindSchema(Schema):
    """How far the projections are behind what took effect."""

    messages = fields.Integer(required=True, metadata={"description": "Still to be entered"})
    is_more = fields.Boolean(required=True, metadata={"description": "Whether there are more than are counted"})
    since = fields.DateTime(required=True, allow_none=True, metadata={"description": "When the oldest took effect"})
    faults = fields.Integer(required=True, metadata={"description": "Cannot be entered: lineside projections says why"})


class ItemStockSchema(Schema):
    plant = fields.String()
    item = fields.String()
    uom = fields.String(metadata={"description": "The item's base unit when it moved"})
    on_hand = fields.String(metadata=DECIMAL)
    unrestricted = fields.String(metadata=DECIMAL)
    quality = fields.String(metadata=DECIMAL)
    blocked = fields.String(metadata=DECIMAL)
    on_hold = fields.String(metadata=_said("Unrestricted, but covered by an open quality hold"))
    reserved = fields.String(metadata=_said("What released orders still need, and what open reservations keep besides"))
    available = fields.String(metadata=_said("Unrestricted less on hold less reserved; negative where it is short"))
    in_transit = fields.String(
        metadata=_said("Sent to the plant by other own plants and suppliers, and in none of our stock until it comes")
    )
    on_order = fields.String(metadata=_said("What purchase orders still owe; neither on hand nor in transit"))


class ItemStockPageSchema(Schema):
    inventory = fields.List(fields.Nested(ItemStockSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class _PlaceSchema(Schema):
    plant = fields.String()
    item = fields.String()
    storage = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    serial = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": ["unrestricted", "quality", "blocked"]})
    quantity = fields.Nested(QuantitySchema)


class StockSchema(_PlaceSchema):
    moved_at = fields.DateTime(allow_none=True)


class StockPageSchema(Schema):
    stock = fields.List(fields.Nested(StockSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class MovementSchema(_PlaceSchema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata={"description": "Which of the message's events"})
    kind = fields.String()
    counted = fields.Nested(QuantitySchema, allow_none=True, metadata={"description": "Of a count: what was found"})
    order_id = fields.String(allow_none=True)
    document = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    happened_at = fields.DateTime()
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata={"description": "Since when it counts no more"})


class MovementPageSchema(Schema):
    movements = fields.List(fields.Nested(MovementSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)
