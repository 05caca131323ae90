"""Stock that moves, is corrected or is counted."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from mappings.canonical.fields import Amount, Code, Instant
from mappings.canonical.parts import EventData, Part, Place, same_unit

RESERVATION_ENDINGS = ("released", "expired")


class Moved(EventData):
    """Stock from one place (or stock status) to another; nothing is made or lost."""

    item = Code(required=True)
    quantity = Amount(required=True)
    from_ = Part(Place, required=True, data_key="from", attribute="from")
    to = Part(Place, required=True)

    @validates_schema
    def _goes_somewhere_else(self, data: dict[str, Any], **_: Any) -> None:
        for end in ("from", "to"):
            if end in data and not data[end]:
                raise ValidationError("must name a site, storage, bin or stock status", end)
        if "from" in data and data["from"] == data.get("to"):
            raise ValidationError("is the same place as from", "to")


class Adjusted(EventData):
    """The book follows the shelf: ``delta`` may be negative, and somebody says why."""

    item = Code(required=True)
    delta = Amount(sign="signed", required=True)
    reason = Code(max_length=200, required=True)

    @validates_schema
    def _changes_something(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("delta", {}).get("value") == "0":
            raise ValidationError("must not be zero", "delta")


class Counted(EventData):
    """What was counted, beside what the book said then; a book may be negative, a shelf may not."""

    item = Code(required=True)
    counted = Amount(sign="not_negative", required=True)
    book = Amount(sign="signed")

    @validates_schema
    def _is_in_one_unit(self, data: dict[str, Any], **_: Any) -> None:
        if not same_unit(data.get("counted"), data.get("book")):
            raise ValidationError("must be in the unit of counted", "book")


class Reserved(EventData):
    """So much of an item is kept for an order or a delivery, or for whoever names the reservation, until an instant.
    Nothing moves; ``lot`` and ``location.storage`` narrow it."""

    reservation_id = Code(required=True)
    item = Code(required=True)
    quantity = Amount(required=True)
    order_id = Code()
    delivery_id = Code()
    until = Instant()


class ReservationEnded(EventData):
    """A reservation keeps nothing any more; ``quantity`` is what it still kept. One that was consumed as a whole ends
    with its issue or shipment, and no event of its own."""

    reservation_id = Code(required=True)
    item = Code(required=True)
    quantity = Amount(required=True)
    order_id = Code()
    delivery_id = Code()
    ended = Code(choices=RESERVATION_ENDINGS, required=True)


SCHEMAS: dict[str, type[Schema]] = {
    "inventory.reserved.v1": Reserved,
    "inventory.reservation.ended.v1": ReservationEnded,
    "inventory.moved.v1": Moved,
    "inventory.adjusted.v1": Adjusted,
    "inventory.counted.v1": Counted,
}
