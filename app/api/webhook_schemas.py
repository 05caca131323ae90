"""Webhooks and the feed in the OpenAPI document, and the bodies of their routes."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from app.web import parameters

_NUMBER = validate.Range(min=0, max=parameters.ID_MOST)


class FeedEventSchema(Schema):
    """A CloudEvent of the feed."""

    specversion = fields.String(metadata={"example": "1.0"})
    id = fields.String(metadata={"description": "The same for ever: message and event in it", "example": "181-0"})
    source = fields.String(metadata={"example": "/lineside/plants/P100"})
    type = fields.String(metadata={"example": "production.completed.v1"})
    time = fields.DateTime(metadata={"description": "When it happened; of a reversal when it was told"})
    datacontenttype = fields.String()
    dataschema = fields.String(metadata={"example": "/v1/schemas/production.completed.v1"})
    partitionkey = fields.String(metadata={"description": "The ordering key, where there is one"})
    plant = fields.String()
    sender = fields.String(metadata={"description": "The source that sent the message"})
    messageid = fields.String()
    feedposition = fields.String(metadata={"description": "Its place in the feed, a whole number"})
    data = fields.Dict(allow_none=True, metadata={"description": "By the contract of its type"})


class _SubscriberFields(Schema):
    class Meta:
        unknown = RAISE

    types = fields.List(fields.String(), metadata={"description": "Canonical types; empty for all"})
    plants = fields.List(fields.String(), metadata={"description": "Plants; empty for all"})
    items = fields.List(
        fields.String(validate=validate.Length(min=1, max=80)),
        metadata={"description": "Only events that name one of these items; empty for all"},
    )
    concurrency = fields.Integer(
        strict=True,
        validate=validate.Range(min=1, max=8),
        metadata={"description": "Calls under way at once; of one ordering key there is one at a time anyway"},
    )


class WebhookSubscriberBody(_SubscriberFields):
    name = fields.String(required=True)
    url = fields.String(required=True, metadata={"example": "https://hooks.example.com/lineside"})


class WebhookSubscriberChangeBody(_SubscriberFields):
    url = fields.String()


class WebhookReplayBody(Schema):
    """Positions or instants; both ends may be left out."""

    class Meta:
        unknown = RAISE

    after = fields.Integer(strict=True, validate=_NUMBER, metadata={"description": "Behind this position"})
    up_to = fields.Integer(strict=True, validate=_NUMBER, metadata={"description": "And not behind this one"})
    since = fields.AwareDateTime(metadata={"description": "Told at or after this, instead of `after`"})
    until = fields.AwareDateTime(metadata={"description": "Told before this"})


class WebhookSubscriberSchema(Schema):
    id = fields.Integer()
    name = fields.String()
    url = fields.String()
    types = fields.List(fields.String())
    plants = fields.List(fields.String())
    items = fields.List(fields.String())
    concurrency = fields.Integer()
    state = fields.String(metadata={"enum": ["active", "paused"]})
    state_reason = fields.String(allow_none=True)
    state_at = fields.DateTime()
    undelivered = fields.Integer(metadata={"description": "Deliveries that are not over; counted to 1,000"})
    behind = fields.Integer(metadata={"description": "Positions of the feed that were not looked at for it yet"})
    failures = fields.Integer(metadata={"description": "Attempts in a row that failed"})
    failing_since = fields.DateTime(allow_none=True)
    open_at = fields.DateTime(allow_none=True, metadata={"description": "It is not called before this"})
    created_at = fields.DateTime()
    created_by = fields.String()


class WebhookSubscribersSchema(Schema):
    webhooks = fields.List(fields.Nested(WebhookSubscriberSchema), required=True)


class WebhookNewSubscriberSchema(WebhookSubscriberSchema):
    secret = fields.String(metadata={"description": "Shown this once", "example": "whsec_..."})


class WebhookSecretSchema(Schema):
    secret = fields.String(metadata={"description": "Shown this once; the one before signs beside it for 24 hours"})


class WebhookDeliverySchema(Schema):
    id = fields.Integer()
    webhook_id = fields.String(metadata={"description": "The event's id, the same for each attempt"})
    message_id = fields.Integer(allow_none=True)
    position = fields.Integer(allow_none=True)
    state = fields.String(metadata={"enum": ["due", "delivered", "failed"]})
    attempts = fields.Integer(metadata={"description": "Since it was due anew"})
    reason = fields.String(allow_none=True, metadata={"description": "Why the last attempt failed"})
    due_at = fields.DateTime(allow_none=True)
    made_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)


class WebhookDeliveriesSchema(Schema):
    deliveries = fields.List(fields.Nested(WebhookDeliverySchema), required=True)
    next = fields.String(required=True, allow_none=True)


class WebhookAttemptSchema(Schema):
    at = fields.DateTime()
    took_ms = fields.Integer()
    status = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)


class WebhookDeliveryDetailSchema(WebhookDeliverySchema):
    tries = fields.List(
        fields.Nested(WebhookAttemptSchema), metadata={"description": "The newest first, 100 at the most"}
    )


class WebhookReplayedSchema(Schema):
    events = fields.Integer(metadata={"description": "That are sent again"})
    next_after = fields.Integer(allow_none=True, metadata={"description": "Replay from here for the rest"})


class WebhookTestedSchema(Schema):
    delivery = fields.Integer()
