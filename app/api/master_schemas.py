"""Items, bills of materials and equipment in the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.api.inventory_schemas import BehindSchema, QuantitySchema
from app.api.logistics_schemas import EVENT, VOID

UNITS = {"description": "Base units in one of each", "example": {"BOX": "10"}}


class ItemSchema(Schema):
    """As messages are enriched with it."""

    item = fields.String(metadata={"example": "WHEEL-10"})
    description = fields.String()
    base_uom = fields.String(metadata={"example": "EA"})
    units = fields.Dict(keys=fields.String(), values=fields.String(), metadata=UNITS)
    system = fields.String(metadata={"description": "Who told it"})
    updated_at = fields.DateTime()
    message_id = fields.Integer(
        allow_none=True, metadata={"description": "null: read from the system of record, or what told it was reversed"}
    )


class ItemPageSchema(Schema):
    items = fields.List(fields.Nested(ItemSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class _ValiditySchema(Schema):
    revision = fields.String(allow_none=True)
    effective_from_at = fields.DateTime(allow_none=True)
    effective_until_at = fields.DateTime(allow_none=True)
    stands = fields.Boolean(metadata={"description": "Whether it is the last word about its revision"})
    message_id = fields.Integer()
    event_index = fields.Integer(metadata=EVENT)
    happened_at = fields.DateTime()
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata=VOID)


class ItemVersionSchema(_ValiditySchema):
    id = fields.Integer()
    item = fields.String(metadata={"example": "WHEEL-10"})
    description = fields.String(allow_none=True)
    base_uom = fields.String(allow_none=True)
    units = fields.Dict(keys=fields.String(), values=fields.String(), metadata=UNITS)


class ItemVersionPageSchema(Schema):
    versions = fields.List(fields.Nested(ItemVersionSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class BomComponentSchema(Schema):
    item = fields.String(required=True, metadata={"example": "RIM-1"})
    quantity = fields.Nested(QuantitySchema, required=True)
    segment = fields.String(required=True, allow_none=True)


class BomSchema(_ValiditySchema):
    item = fields.String(metadata={"example": "WHEEL-10"})
    quantity = fields.Nested(QuantitySchema, metadata={"description": "What the components are for"})
    components = fields.List(fields.Nested(BomComponentSchema))


class BomPageSchema(Schema):
    boms = fields.List(fields.Nested(BomSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class EquipmentSchema(Schema):
    plant = fields.String(metadata={"example": "P100"})
    equipment_id = fields.String(metadata={"example": "PRESS-1"})
    state = fields.String(metadata={"example": "RUNNING"})
    reason = fields.String(allow_none=True)
    work_center = fields.String(allow_none=True)
    since_at = fields.DateTime(metadata={"description": "When it entered the state"})
    told_at = fields.DateTime(metadata={"description": "When the state was told last"})
    message_id = fields.Integer()


class EquipmentPageSchema(Schema):
    equipment = fields.List(fields.Nested(EquipmentSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class TimesSchema(Schema):
    since_at = fields.DateTime(required=True)
    until_at = fields.DateTime(required=True)
    seconds = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        required=True,
        metadata={"description": "In each state", "example": {"RUNNING": 81000.0, "DOWN": 5400.0}},
    )
    is_whole = fields.Boolean(required=True, metadata={"description": "Whether all of the time was added up"})


class OneEquipmentSchema(EquipmentSchema):
    times = fields.Nested(TimesSchema)


class StateSchema(Schema):
    id = fields.Integer()
    message_id = fields.Integer()
    event_index = fields.Integer(metadata=EVENT)
    state = fields.String(metadata={"example": "RUNNING"})
    from_state = fields.String(allow_none=True)
    follows = fields.Boolean(
        metadata={"description": "false: `from_state` is not what was told before, one is missing"}
    )
    reason = fields.String(allow_none=True)
    work_center = fields.String(allow_none=True)
    happened_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True, metadata={"description": "When the next one was told"})
    seconds = fields.Float(allow_none=True, metadata={"description": "How long it lasted; null while it does"})
    entered_at = fields.DateTime()
    void_at = fields.DateTime(allow_none=True, metadata=VOID)


class StatePageSchema(Schema):
    states = fields.List(fields.Nested(StateSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)
