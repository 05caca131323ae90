"""Production orders and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from mappings.canonical.fields import Amount, Code, Flag, Instant, Text
from mappings.canonical.parts import EventData, Line, StoredLine, Strict, parts


class Segment(Strict):
    """One operation of an order (ISA-95 segment requirement)."""

    id = Code(required=True)
    description = Text()
    work_center = Code()


class OrderReleased(EventData):
    """ISA-95 OperationsRequest, released: the plant may begin. ``quantity`` is planned."""

    order_id = Code(required=True)
    item = Code(required=True)
    quantity = Amount(required=True)
    start = Instant()
    end = Instant()
    segments = parts(Segment)
    materials = parts(Line)

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        if "start" in data and "end" in data and _moment(data["end"]) < _moment(data["start"]):
            raise ValidationError("lies before the start", "end")


class Completed(EventData):
    """Material produced (EPCIS TransformationEvent). ``final``: the order has no more to come.

    Only the final report may be without outputs: it closes an order whose last pieces were scrapped.
    """

    order_id = Code(required=True)
    segment = Code()
    transformation_id = Code(max_length=200)
    outputs = parts(StoredLine, required=True)
    final = Flag(load_default=False)

    @validates_schema
    def _has_outputs_or_is_final(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("outputs") and not data.get("final"):
            raise ValidationError("must have a member unless the report is final", "outputs")


class Scrapped(EventData):
    """Produced or consumed material destroyed, and why."""

    order_id = Code(required=True)
    segment = Code()
    transformation_id = Code(max_length=200)
    item = Code(required=True)
    quantity = Amount(required=True)
    reason = Code(max_length=200, required=True)


class MaterialIssued(EventData):
    """Material consumed by an order (inputs of an EPCIS TransformationEvent)."""

    order_id = Code(required=True)
    segment = Code()
    transformation_id = Code(max_length=200)
    components = parts(StoredLine, low=1, required=True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


SCHEMAS: dict[str, type[Schema]] = {
    "production.order.released.v1": OrderReleased,
    "production.completed.v1": Completed,
    "production.scrapped.v1": Scrapped,
    "material.issued.v1": MaterialIssued,
}
