"""Process calls and reservations in the OpenAPI document, and which processes there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema
from app.api.openapi_parts import query


class WarningSchema(Schema):
    code = fields.String(required=True)
    reason = fields.String(required=True)
    pointer = fields.String(metadata={"description": "JSON pointer into the body"})


class TargetAnswerSchema(Schema):
    """What one target has of it."""

    target = fields.String(required=True)
    required = fields.Boolean(required=True)
    state = fields.String(required=True, metadata={"example": "posted"})
    reference = fields.String(allow_none=True, metadata={"description": "The document's number there"})
    answer = fields.Raw(allow_none=True, metadata={"description": "What the target answered"})
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)


class ProcessOutcomeSchema(Schema):
    """`posted`: every required target has it. `under_way`: it is kept, and goes on by itself; ask again at
    `Location`, or repeat the call with the same key."""

    process = fields.String(required=True)
    id = fields.Integer(required=True, metadata={"description": "The message"})
    source_message_id = fields.String(required=True)
    repeat = fields.Boolean(required=True, metadata={"description": "Whether this key came before"})
    status = fields.String(required=True, metadata={"enum": ["posted", "under_way"]})
    state = fields.String(required=True, metadata={"description": "The message's state"})
    waits_because = fields.String(allow_none=True)
    answers = fields.List(fields.Nested(TargetAnswerSchema), required=True)
    warnings = fields.List(fields.Nested(WarningSchema), required=True)
    behind = fields.Nested(BehindSchema, required=True)


class ReservationUseSchema(Schema):
    message_id = fields.Integer()
    quantity = fields.String(metadata=DECIMAL)
    happened_at = fields.DateTime()


class ReservationSchema(Schema):
    """What is null was not said: a reservation without a lot is one of any lot."""

    reservation_id = fields.String()
    state = fields.String(metadata={"enum": ["open", "consumed", "released", "expired"]})
    plant = fields.String()
    item = fields.String()
    lot = fields.String(allow_none=True)
    storage = fields.String(allow_none=True)
    uom = fields.String(metadata={"description": "The item's base unit"})
    quantity = fields.String(metadata=DECIMAL)
    used = fields.String(metadata=DECIMAL)
    remaining = fields.String(metadata=DECIMAL)
    order_id = fields.String(allow_none=True)
    delivery_id = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    actor = fields.String()
    source = fields.String()
    made_at = fields.DateTime()
    until = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)
    message_id = fields.Integer(metadata={"description": "The message that tells it"})
    ended_message_id = fields.Integer(allow_none=True, metadata={"description": "The message that tells its end"})


class ReservationDetailSchema(ReservationSchema):
    uses = fields.List(fields.Nested(ReservationUseSchema), metadata={"description": "By issues and shipments"})
    behind = fields.Nested(BehindSchema)


class ReservationPageSchema(Schema):
    reservations = fields.List(fields.Nested(ReservationSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class ReservedSchema(ReservationSchema):
    """The reservation, and the message that tells targets of it."""

    repeat = fields.Boolean(required=True)
    behind = fields.Nested(BehindSchema, required=True)


class ReserveBodySchema(Schema):
    item = fields.String(required=True)
    quantity = fields.Nested(QuantitySchema, required=True)
    lot = fields.String()
    location = fields.Dict(metadata={"description": "`storage` narrows it", "example": {"storage": "P100-ST"}})
    order_id = fields.String()
    delivery_id = fields.String()
    until = fields.DateTime(metadata={"description": "It expires then"})
    reason = fields.String()


class ReleaseBodySchema(Schema):
    reservation_id = fields.String(required=True)
    reason = fields.String()


@dataclass(frozen=True)
class Process:
    """``type`` is the event that a call makes."""

    name: str
    type: str
    summary: str
    example: Mapping[str, Any]


_ONE = {"value": "4", "uom": "EA"}
RESERVE = Process(
    "reserve-inventory",
    "inventory.reserved.v1",
    "Reserve so much of an item, if it is free",
    {"item": "WHEEL-10", "quantity": _ONE, "order_id": "1000123", "until": "2026-01-02T18:00:00Z"},
)
RELEASE_RESERVATION = Process(
    "release-reservation",
    "inventory.reservation.ended.v1",
    "Give back what a reservation still keeps",
    {"reservation_id": "RS-0123456789ABCDEF", "reason": "order changed"},
)
POSTED = (
    Process(
        "release-order",
        "production.order.released.v1",
        "Release a production order",
        {
            "order_id": "1000123",
            "item": "BIKE-100",
            "quantity": {"value": "10", "uom": "EA"},
            "materials": [{"item": "WHEEL-10", "quantity": {"value": "20", "uom": "EA"}}],
        },
    ),
    Process(
        "issue-material",
        "material.issued.v1",
        "Issue material to an order",
        {"order_id": "1000123", "components": [{"item": "WHEEL-10", "storage": "P100-ST", "quantity": _ONE}]},
    ),
    Process(
        "post-completion",
        "production.completed.v1",
        "Post what an order has made",
        {"order_id": "1000123", "outputs": [{"item": "BIKE-100", "quantity": {"value": "2", "uom": "EA"}}]},
    ),
    Process(
        "confirm-shipment",
        "shipment.confirmed.v1",
        "Confirm that a delivery has left",
        {
            "delivery_id": "D-4711",
            "carrier": "DHL",
            "lines": [{"item": "BIKE-100", "quantity": {"value": "2", "uom": "EA"}}],
        },
    ),
    Process(
        "trigger-replenishment",
        "replenishment.requested.v1",
        "Ask for an item to be brought",
        {"kanban_id": "K-17", "item": "WHEEL-10", "quantity": _ONE, "supply_to": {"storage": "P100-WIP"}},
    ),
)

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "The call's id, the same for every attempt to make it",
    "schema": {"type": "string", "maxLength": 200},
}
_PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`wait=N`: at most N seconds for the outcome, bounded by the server; `respond-async`: do not wait",
    "schema": {"type": "string", "example": "wait=5"},
}
PARAMETERS = [
    _KEY,
    query("plant", "The plant's code, where the key does not say it"),
    query("source", "For an account: the source in whose name it acts. A key is its source's"),
]
WAITING = [
    _PREFER,
    query("override", "For an account: why stock is taken although it is on hold; kept in the trail"),
]


def body_of(process: Process, schema: Any) -> dict[str, Any]:
    """What is sent; ``schema`` or a reference to the event's own contract."""
    content = {"schema": schema, "example": dict(process.example)}
    return {"required": True, "content": {"application/json": content}}
