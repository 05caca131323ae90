"""Measures for the business, for the OpenAPI document."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.projections.measuring import Counted
from app.projections.processes import Process


class HistogramSchema(Schema):
    """Percentiles come from a histogram; each is the upper bound of its bucket, at most a third above the true one."""

    count = fields.Integer(required=True)
    p50_seconds = fields.Float(allow_none=True)
    p90_seconds = fields.Float(allow_none=True)
    p95_seconds = fields.Float(allow_none=True)
    p99_seconds = fields.Float(allow_none=True)


class MeasureSchema(Schema):
    plant = fields.String(
        allow_none=True, metadata={"description": "Null for sources as a whole, or where it is no group"}
    )
    process = fields.String(
        allow_none=True,
        metadata={"enum": [*(process.value for process in Process), None], "description": "Null where it is no group"},
    )
    day = fields.String(
        allow_none=True, metadata={"description": "By the plant's own calendar; null where it is no group"}
    )
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": f"How many: {', '.join(each.value for each in Counted)}"},
    )
    service_level_attainment = fields.Float(
        allow_none=True, metadata={"description": "Share of what was posted; null without any"}
    )
    handled_share = fields.Float(
        allow_none=True, metadata={"description": "Share of what ended and that a person had to act on"}
    )
    event_to_posted = fields.Nested(HistogramSchema)
    accepted_to_posted = fields.Nested(HistogramSchema)
    resolution = fields.Nested(HistogramSchema)
    backlog_age = fields.Nested(HistogramSchema)


class MeasuresSchema(Schema):
    from_ = fields.Date(data_key="from", required=True)
    to = fields.Date(required=True)
    service_level = fields.Dict()
    measures = fields.List(fields.Nested(MeasureSchema), required=True)
    behind = fields.Dict(metadata={"description": "How much of what took effect is still to be measured"})
