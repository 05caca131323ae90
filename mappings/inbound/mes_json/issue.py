"""``mes.issue``: an order has used up material."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.mes_json.parts import OrderMessage, head, line, positions
from mappings.inbound.payload import load, present, transformation_id


class Issue(OrderMessage):
    verbrauch = positions()


_SCHEMA = Issue()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    message = load(_SCHEMA, payload)
    order = message["auftrag"]
    data = head(message, context) | present(
        order_id=order["nummer"],
        segment=order.get("vorgang"),
        transformation_id=order.get("transformation")
        or transformation_id(context, order["nummer"], order.get("vorgang")),
        components=[line(used, context, f"verbrauch[{index}]") for index, used in enumerate(message["verbrauch"])],
    )
    return [Event("material.issued.v1", data)]
