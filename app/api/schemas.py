"""What the API says and hears, for the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields


class FieldErrorSchema(Schema):
    pointer = fields.String(metadata={"description": "JSON pointer into the body, where one can be named"})
    place = fields.String(metadata={"description": "Line and column, header or query parameter"})
    reason = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True, metadata={"example": "urn:lineside:problem:refused"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    errors = fields.List(fields.Nested(FieldErrorSchema))


class AcceptedSchema(Schema):
    """``repeat``: the same message came before, and ``id`` is the first one's."""

    id = fields.Integer(required=True)
    source_message_id = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["accepted", "repeat"]})


class BatchResultSchema(Schema):
    index = fields.Integer(required=True)
    source_message_id = fields.String()
    status = fields.String(required=True, metadata={"enum": ["accepted", "repeat", "conflict", "refused"]})
    id = fields.Integer()
    problem = fields.Nested(ProblemSchema)


class BatchSchema(Schema):
    results = fields.List(fields.Nested(BatchResultSchema), required=True)


class CloudEventSchema(Schema):
    """CloudEvents 1.0 with the extensions that Lineside reads; further attributes are kept and passed over."""

    specversion = fields.String(required=True, metadata={"enum": ["1.0"]})
    id = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "The source's code in the topology file"})
    type = fields.String(required=True, metadata={"example": "production.completed.v1"})
    time = fields.DateTime()
    subject = fields.String()
    datacontenttype = fields.String()
    plant = fields.String(metadata={"description": "The plant's code; may be left out where the key has only one"})
    partitionkey = fields.String(metadata={"description": "Messages with the same key take effect in order"})
    sequence = fields.String(metadata={"description": "The order within the key"})
    traceparent = fields.String()
    data = fields.Raw()
    data_base64 = fields.String()
