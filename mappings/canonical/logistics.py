"""What comes in, what goes out, and what a work place asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from mappings.canonical.fields import Amount, Code, Instant, Sscc
from mappings.canonical.parts import DocumentRef, EventData, Line, Part, Place, Strict, parts, same_unit


class ReceiptRecorded(EventData):
    """Goods received against a purchase order's line. What is neither accepted nor rejected awaits inspection."""

    document_ref = Part(DocumentRef, required=True)
    item = Code(required=True)
    received = Amount(required=True)
    accepted = Amount(sign="not_negative", required=True)
    rejected = Amount(sign="not_negative", required=True)

    @validates_schema
    def _adds_up(self, data: dict[str, Any], **_: Any) -> None:
        received, accepted, rejected = (data.get(name) for name in ("received", "accepted", "rejected"))
        if not received or not accepted or not rejected:
            return
        if not same_unit(received, accepted, rejected):
            raise ValidationError("must be in the unit of accepted and rejected", "received")
        if Decimal(accepted["value"]) + Decimal(rejected["value"]) > Decimal(received["value"]):
            raise ValidationError("is less than accepted and rejected together", "received")


class ShippedLine(Line):
    """Goods of a delivery, and the order that they are for."""

    order_ref = Part(DocumentRef)


class Package(Strict):
    """One shipped package, known by its SSCC."""

    sscc = Sscc(required=True)
    lines = parts(ShippedLine)


class ShipmentConfirmed(EventData):
    """A delivery has left: ``packages`` by their SSCC, ``lines`` for goods that are in no such package."""

    delivery_id = Code(required=True)
    carrier = Code(max_length=200)
    ship_from = Code()
    ship_to = Code()
    packages = parts(Package)
    lines = parts(ShippedLine)

    @validates_schema
    def _holds_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("packages") and not data.get("lines"):
            raise ValidationError("must have a member where there are no lines", "packages")

    @validates_schema
    def _names_each_package_once(self, data: dict[str, Any], **_: Any) -> None:
        codes = [package["sscc"] for package in data.get("packages", []) if "sscc" in package]
        if len(set(codes)) != len(codes):
            raise ValidationError("must name each SSCC once", "packages")


class ReplenishmentRequested(EventData):
    """An empty kanban: bring this item there, by then."""

    kanban_id = Code(required=True)
    item = Code(required=True)
    quantity = Amount(required=True)
    supply_to = Part(Place, required=True)
    supply_from = Part(Place)
    need_by = Instant()

    @validates_schema
    def _says_where_to(self, data: dict[str, Any], **_: Any) -> None:
        if "supply_to" in data and not data["supply_to"]:
            raise ValidationError("must name a site, storage or bin", "supply_to")


class OrderedLine(Strict):
    """One line of a purchase order: so much of an item, by then."""

    line = Code(required=True)
    item = Code(required=True)
    quantity = Amount(required=True)
    need_by = Instant()
    ship_to = Code()


class PurchaseOrderPlaced(EventData):
    """A purchase order (X12 850, EDIFACT ORDERS) as a whole; sent again it replaces the one before it.

    ``buyer``, ``supplier`` and ``ship_to`` are codes as the sender writes them, such as a GLN.
    """

    purchase_order = Code(required=True)
    buyer = Code()
    supplier = Code()
    ship_to = Code()
    lines = parts(OrderedLine, low=1, required=True)

    @validates_schema
    def _names_each_line_once(self, data: dict[str, Any], **_: Any) -> None:
        codes = [line["line"] for line in data.get("lines", []) if "line" in line]
        if len(set(codes)) != len(codes):
            raise ValidationError("must name each line once", "lines")


SCHEMAS: dict[str, type[Schema]] = {
    "receipt.recorded.v1": ReceiptRecorded,
    "shipment.confirmed.v1": ShipmentConfirmed,
    "purchase.order.placed.v1": PurchaseOrderPlaced,
    "replenishment.requested.v1": ReplenishmentRequested,
}
