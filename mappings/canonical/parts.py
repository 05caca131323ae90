"""What the canonical events share: the fields every event may have, and the objects inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from mappings.canonical.fields import ERROR_TEXTS, Amount, BoundedList, Code, Instant, Text

STOCK_STATUSES = ("unrestricted", "quality", "blocked")


class Strict(Schema):
    """Refuses what it does not know: a misspelt field must not be lost in silence."""

    error_messages = {"unknown": "is unknown here", "type": "must be an object"}


class Part(fields.Nested):
    """An object of its own inside an event."""

    default_error_messages = {**ERROR_TEXTS, "type": "must be an object"}

    def __init__(self, schema: type[Schema], **options: Any) -> None:
        super().__init__(schema, **options)


def parts(schema: type[Schema], *, low: int = 0, **options: Any) -> BoundedList:
    return BoundedList(Part(schema), low=low, **options)


class Location(Strict):
    """Where in the plant, from the largest (ISA-95 site) to the smallest."""

    site = Code()
    area = Code()
    work_center = Code()
    work_unit = Code()
    storage = Code()
    bin = Code()


class Place(Strict):
    """One end of a stock movement."""

    site = Code()
    storage = Code()
    bin = Code()
    stock_status = Code(choices=STOCK_STATUSES)


class DocumentRef(Strict):
    """A document of another system, such as a purchase order's line."""

    type = Code(required=True)
    id = Code(required=True)
    line = Code()


class Line(Strict):
    """One item of an event that names several."""

    item = Code(required=True)
    lot = Code()
    sub_lot = Code()
    serials = BoundedList(Code())
    quantity = Amount(required=True)


class StoredLine(Line):
    """A line whose stock enters or leaves a storage location."""

    storage = Code()


class Span(Strict):
    """From ``start`` until ``end``; an open end is left out."""

    start = Instant()
    end = Instant()


class EventData(Strict):
    """The data of any canonical event; a type adds its own fields and demands what it cannot do without."""

    event_time = Instant(required=True)
    record_time = Instant()
    location = Part(Location)
    item = Code()
    lot = Code()
    sub_lot = Code()
    serials = BoundedList(Code())
    quantity = Amount()
    reason = Code(max_length=200)
    document_ref = Part(DocumentRef)
    correction_of = Code(max_length=200)
    note = Text()


def same_unit(*quantities: Mapping[str, str] | None) -> bool:
    return len({quantity["uom"] for quantity in quantities if quantity}) <= 1
