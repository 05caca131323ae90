"""Purchase orders, receipts, shipments and what is on its way, in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema
from app.projections.purchase_lists import PurchaseStatus
from app.projections.shipment_lists import ShipmentState

EVENT = {"description": "Which of the message's events"}
VOID = {"description": "Since when it counts no more"}


class DocumentSchema(Schema):
    type = fields.String(required=True, metadata={"example": "purchase_order"})
    id = fields.String(required=True, metadata={"example": "4500000123"})
    line = fields.String(required=True, allow_none=True, metadata={"example": "10"})


class PurchaseLineSchema(Schema):
    """In the item's base unit."""

    line = fields.String(required=True, metadata={"example": "10"})
    item = fields.String(required=True, metadata={"example": "WHEEL-10"})
    uom = fields.String(required=True, metadata={"example": "EA"})
    ordered = fields.String(required=True, metadata=DECIMAL)
    received = fields.String(required=True, metadata=DECIMAL)
    rejected = fields.String(required=True, metadata=DECIMAL)
    open = fields.String(required=True, metadata={**DECIMAL, "description": "Ordered less received plus rejected"})
    need_by_at = fields.DateTime(required=True, allow_none=True)
    ship_to = fields.String(required=True, allow_none=True)


class PurchaseOrderSchema(Schema):
    purchase_order = fields.String(metadata={"example": "4500000123"})
    plant = fields.String(metadata={"example": "P100"})
    status = fields.String(metadata={"enum": [status.value for status in PurchaseStatus]})
    supplier = fields.String(allow_none=True, metadata={"example": "4012345000009"})
    buyer = fields.String(allow_none=True)
    ship_to = fields.String(allow_none=True)
    placed_at = fields.DateTime(allow_none=True)
    need_by_at = fields.DateTime(allow_none=True, metadata={"description": "The earliest of the lines that are open"})
    received_at = fields.DateTime(allow_none=True, metadata={"description": "When something came last"})
    late = fields.Boolean(metadata={"description": "Whether something is open that was needed before now"})
    message_id = fields.Integer(
        allow_none=True, metadata={"description": "The one that stands; null: nobody placed it"}
    )
    lines = fields.List(fields.Nested(PurchaseLineSchema))


class PurchaseOrderPageSchema(Schema):
    purchase_orders = fields.List(fields.Nested(PurchaseOrderSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class ReceiptSchema(Schema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata=EVENT)
    plant = fields.String(metadata={"example": "P100"})
    document = fields.Nested(DocumentSchema)
    supplier = fields.String(allow_none=True, metadata={"description": "Of the purchase order that it names"})
    item = fields.String(metadata={"example": "WHEEL-10"})
    lot = fields.String(allow_none=True)
    storage = fields.String(allow_none=True)
    uom = fields.String(metadata={"example": "EA"})
    received = fields.String(metadata=DECIMAL)
    accepted = fields.String(metadata=DECIMAL)
    rejected = fields.String(metadata=DECIMAL)
    reason = fields.String(allow_none=True)
    happened_at = fields.DateTime()
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata=VOID)


class ReceiptPageSchema(Schema):
    receipts = fields.List(fields.Nested(ReceiptSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class ShippedLineSchema(Schema):
    item = fields.String(required=True)
    lot = fields.String(required=True, allow_none=True)
    serials = fields.List(fields.String(), required=True)
    quantity = fields.Nested(QuantitySchema, required=True)
    sscc = fields.String(required=True, allow_none=True, metadata={"example": "340123450000000017"})
    order_ref = fields.String(required=True, allow_none=True, metadata={"example": "sales_order:77:1"})
    arrived = fields.String(
        required=True,
        allow_none=True,
        metadata={**DECIMAL, "description": "How much has come; told of one shipment by itself, to an own plant"},
    )


class ShipmentSchema(Schema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata=EVENT)
    plant = fields.String(metadata={"example": "P100"})
    delivery_id = fields.String(metadata={"example": "8000012345"})
    state = fields.String(metadata={"enum": [state.value for state in ShipmentState]})
    carrier = fields.String(allow_none=True)
    ship_from = fields.String(allow_none=True)
    ship_to = fields.String(allow_none=True)
    to_plant = fields.String(allow_none=True, metadata={"description": "The own plant that it goes to"})
    packages = fields.List(fields.String(), metadata={"description": "Their SSCCs"})
    lines = fields.List(fields.Nested(ShippedLineSchema))
    is_whole = fields.Boolean(metadata={"description": "Whether these are all of its lines"})
    happened_at = fields.DateTime(metadata={"description": "When it left"})
    arrived_at = fields.DateTime(allow_none=True, metadata={"description": "When the last of it came to an own plant"})
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata=VOID)


class ShipmentPageSchema(Schema):
    shipments = fields.List(fields.Nested(ShipmentSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class TransitSchema(Schema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata=EVENT)
    from_plant = fields.String(
        allow_none=True, metadata={"example": "P100", "description": "None where it comes from a supplier"}
    )
    to_plant = fields.String(metadata={"example": "P200"})
    item = fields.String(metadata={"example": "WHEEL-10"})
    lot = fields.String(allow_none=True)
    document = fields.String(metadata={"example": "delivery:8000012345"})
    order_ref = fields.String(allow_none=True)
    sent = fields.Nested(QuantitySchema)
    arrived = fields.Nested(QuantitySchema)
    quantity = fields.Nested(QuantitySchema, metadata={"description": "What is still under way"})
    since_at = fields.DateTime(metadata={"description": "When it left"})


class TransitPageSchema(Schema):
    in_transit = fields.List(fields.Nested(TransitSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)
