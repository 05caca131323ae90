"""``mes.receipt``: goods have come in for a purchase order's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.canonical.fields import Code
from mappings.canonical.parts import Part
from mappings.context import Event, InboundContext
from mappings.inbound.mes_json.parts import Message, head
from mappings.inbound.payload import Number, Payload, amount, load, present


class PurchaseOrder(Payload):
    nummer = Code(required=True)
    position = Code()


class Receipt(Message):
    bestellung = Part(PurchaseOrder, required=True)
    material = Code(required=True)
    charge = Code()
    eingang = Number(required=True)
    gut = Number(required=True)
    abgelehnt = Number(required=True)
    einheit = Code(required=True)
    lagerort = Code()


_SCHEMA = Receipt()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    message = load(_SCHEMA, payload)
    data = head(message, context)
    if storage := message.get("lagerort"):
        data["location"] = data["location"] | {"storage": storage}
    order, unit = message["bestellung"], message["einheit"]
    return [
        Event(
            "receipt.recorded.v1",
            data
            | present(
                document_ref=present(type="purchase_order", id=order["nummer"], line=order.get("position")),
                item=message["material"],
                lot=message.get("charge"),
                received=amount(message["eingang"], unit, context, "eingang"),
                accepted=amount(message["gut"], unit, context, "gut", "not_negative"),
                rejected=amount(message["abgelehnt"], unit, context, "abgelehnt", "not_negative"),
            ),
        )
    ]
