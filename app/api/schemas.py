"""What the API says and hears, for the OpenAPI document."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from app.api.impact_schemas import ImpactSchema
from app.inbox.states import State


class FieldErrorSchema(Schema):
    pointer = fields.String(metadata={"description": "JSON pointer into the body, where one can be named"})
    place = fields.String(metadata={"description": "Line and column, header or query parameter"})
    reason = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details; some problems have further members, such as `code` and `known`."""

    class Meta:
        unknown = INCLUDE

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
    state = fields.String(metadata={"description": "Of a repeat: the first one's state by now, such as `dead`"})


class DueAgainSchema(Schema):
    id = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": ["accepted"]})


class BatchResultSchema(Schema):
    index = fields.Integer(required=True)
    source_message_id = fields.String()
    status = fields.String(required=True, metadata={"enum": ["accepted", "repeat", "conflict", "refused"]})
    id = fields.Integer()
    state = fields.String(metadata={"description": "Of a repeat: the first one's state by now, such as `dead`"})
    problem = fields.Nested(ProblemSchema)


class BatchSchema(Schema):
    results = fields.List(fields.Nested(BatchResultSchema), required=True)


class CloudEventSchema(Schema):
    """CloudEvents 1.0 with the extensions that Lineside reads; further attributes are kept and passed over."""

    class Meta:
        unknown = INCLUDE

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


class MessageRowSchema(Schema):
    id = fields.Integer(required=True)
    plant = fields.String(required=True)
    source = fields.String(required=True)
    source_message_id = fields.String(required=True)
    type = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": [state.value for state in State]})
    step = fields.String(allow_none=True, metadata={"description": "What is done next; null when nothing is"})
    received_at = fields.DateTime(required=True)
    state_at = fields.DateTime(required=True)
    due_at = fields.DateTime(allow_none=True)
    attempts = fields.Integer(metadata={"description": "How often it was looked at before this step"})
    retries = fields.Integer(metadata={"description": "How often a target failed since it last answered"})
    workers_lost = fields.Integer(metadata={"description": "How many workers ended while they held it"})
    ordering_key = fields.String(allow_none=True)
    sequence = fields.String(allow_none=True)
    waiting_for = fields.String(allow_none=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    reason_field = fields.String(allow_none=True)
    links = fields.Dict(keys=fields.String(), values=fields.String())


class MessagePageSchema(Schema):
    messages = fields.List(fields.Nested(MessageRowSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "The next page; null at the end"})


class TimelineEntrySchema(Schema):
    at = fields.DateTime()
    actor = fields.String()
    from_state = fields.String(data_key="from", allow_none=True)
    to = fields.String()
    note = fields.String(allow_none=True)


class AttemptSchema(Schema):
    number = fields.Integer()
    started_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    outcome = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    worker = fields.String()


class PostingSchema(Schema):
    id = fields.Integer()
    target = fields.String()
    kind = fields.String()
    state = fields.String()
    required = fields.Boolean()
    posting_key = fields.String()
    generation = fields.Integer(metadata={"description": "How often the message's postings were reversed before"})
    reference = fields.String(allow_none=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    mapping_version = fields.String(allow_none=True)
    document = fields.Dict(allow_none=True)
    answer = fields.Dict(allow_none=True)
    updated_at = fields.DateTime()
    attempts = fields.List(fields.Nested(AttemptSchema))
    reversal = fields.Nested(
        lambda: PostingSchema(exclude=["reversal"]),
        allow_none=True,
        metadata={"description": "A posting of its own: what undoes this one; null where nothing does"},
    )


class ArchiveSchema(Schema):
    file = fields.String(required=True, metadata={"description": "Below `LINESIDE_HOME/retained` of the host"})
    host = fields.String(required=True)
    sha256 = fields.String(required=True)
    made_at = fields.DateTime(required=True)


class MessageSchema(MessageRowSchema):
    mapping_version = fields.String(allow_none=True)
    traceparent = fields.String(allow_none=True)
    file = fields.Dict(allow_none=True, metadata={"description": "Name and row of the file that brought it"})
    holds_up = fields.Integer(metadata={"description": "How many messages wait for this one's ordering key"})
    archive = fields.Nested(
        ArchiveSchema,
        allow_none=True,
        metadata={"description": "The file that it was exported to; payload, timeline and attempts stand there alone"},
    )
    corrects = fields.List(fields.Integer(), metadata={"description": "Messages that this one takes the place of"})
    corrected_by = fields.List(fields.Integer(), metadata={"description": "Messages that take its place"})
    payload = fields.Dict()
    timeline = fields.List(fields.Nested(TimelineEntrySchema))
    corrections = fields.List(fields.Dict())
    postings = fields.List(fields.Nested(PostingSchema))


class DeadLetterStorySchema(MessageSchema):
    impact = fields.Nested(ImpactSchema, allow_none=True, metadata={"description": "Null until it is weighed"})


class DeadChoiceSchema(Schema):
    """Either ``ids`` or ``filter``."""

    ids = fields.List(fields.Integer())
    filter = fields.Dict(
        metadata={
            "description": "plant, source, type, reason_code, dead_after, dead_before, order, lot, item, delivery, "
            "purchase_order; {} for all"
        }
    )
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Only say how many it would be"})
    out_of_order = fields.String(
        metadata={"description": "Why they may take effect after later messages of their keys; kept in the trail"}
    )


class DoneSchema(Schema):
    count = fields.Integer(required=True)
    ids = fields.List(fields.Integer(), metadata={"description": "At most the first 1,000"})
    more = fields.Boolean(metadata={"description": "The filter matches further ones: repeat"})
    dry_run = fields.Boolean()
    not_dead = fields.List(
        fields.Dict(),
        metadata={"description": "Ids given that are no dead letters, each with its state or null"},
    )


class DiscardSchema(Schema):
    ids = fields.List(fields.Integer(), required=True)
    reason = fields.String(required=True)


class ReverseSchema(Schema):
    reason = fields.String(required=True)
    by_hand = fields.Boolean(
        load_default=False,
        metadata={"description": "The reversals that were refused have been made in the target by a person"},
    )


class DeadLetterSchema(MessageRowSchema):
    impact = fields.Nested(ImpactSchema, required=True)


class DeadPageSchema(Schema):
    dead_letters = fields.List(fields.Nested(DeadLetterSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class PausedSchema(Schema):
    paused_at = fields.DateTime(required=True)
    reason = fields.String(required=True)
    actor = fields.String(required=True, metadata={"description": "`lineside` where a target turned us away"})


class PlantFiguresSchema(Schema):
    plant = fields.String(required=True)
    accepted = fields.Integer(required=True)
    states = fields.Dict(keys=fields.String(), values=fields.Integer())
    trailing = fields.Integer(
        metadata={"description": "Posted, but not yet where it is not required, or being reversed; counted to 5,000"}
    )
    oldest_received_at = fields.Dict(keys=fields.String(), values=fields.DateTime())
    latency_seconds = fields.Dict(metadata={"description": "p50 and p95 from accepted to posted, of late"})
    paused = fields.Nested(PausedSchema, allow_none=True)


class TargetFiguresSchema(Schema):
    target = fields.String(required=True)
    circuit = fields.String(required=True, metadata={"enum": ["closed", "open", "half_open"]})
    failures = fields.Integer(required=True, metadata={"description": "Failed calls in a row"})
    opened_at = fields.DateTime(allow_none=True)
    retry_at = fields.DateTime(allow_none=True, metadata={"description": "When it is tried again by itself"})
    calls = fields.Integer(required=True, metadata={"description": "Under way now, of all workers together"})
    calls_in_flight = fields.Integer(required=True, metadata={"description": "How many there may be"})
    tokens = fields.Integer(allow_none=True, metadata={"description": "Postings that its rate allows at once now"})
    paused = fields.Nested(PausedSchema, allow_none=True)


class PauseSchema(PausedSchema):
    target = fields.String(required=True)


class QueuesSchema(Schema):
    plants = fields.List(fields.Nested(PlantFiguresSchema), required=True)
    targets = fields.List(fields.Nested(TargetFiguresSchema), required=True)
    paused_targets = fields.List(fields.Nested(PauseSchema), required=True)


class PausingSchema(Schema):
    reason = fields.String(required=True)


class ResumedSchema(Schema):
    target = fields.String(required=True)
    due_again = fields.Integer(required=True)


class PlantStateSchema(Schema):
    plant = fields.String(required=True)
    paused = fields.Boolean(required=True)


class TargetStateSchema(Schema):
    target = fields.String(required=True)
    paused = fields.Boolean(required=True)


class TrailEntrySchema(Schema):
    id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    detail = fields.Dict(allow_none=True)


class TrailSchema(Schema):
    entries = fields.List(fields.Nested(TrailEntrySchema), required=True)
    next = fields.String(required=True, allow_none=True)


class HealthSchema(Schema):
    status = fields.String(required=True)
