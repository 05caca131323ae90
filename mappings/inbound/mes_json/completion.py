"""``mes.completion``: pieces of an order are done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.canonical.fields import BoundedList
from mappings.canonical.parts import Part
from mappings.context import Event, InboundContext
from mappings.inbound.mes_json.parts import OrderMessage, Position, head, line
from mappings.inbound.payload import load, present, transformation_id


class Completion(OrderMessage):
    """``fertig`` on the order: nothing more will come; the last message may then be without positions."""

    gutmengen = BoundedList(Part(Position), required=True)


_SCHEMA = Completion()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    message = load(_SCHEMA, payload)
    order = message["auftrag"]
    outputs = [line(good, context, f"gutmengen[{index}]") for index, good in enumerate(message["gutmengen"])]
    data = head(message, context) | present(
        order_id=order["nummer"],
        segment=order.get("vorgang"),
        transformation_id=order.get("transformation")
        or transformation_id(context, order["nummer"], order.get("vorgang")),
    )
    return [Event("production.completed.v1", data | {"outputs": outputs, "final": order["fertig"]})]
