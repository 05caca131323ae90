"""``mes.scrap``: pieces or material of an order are lost, each position with its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.canonical.fields import Code, Text
from mappings.canonical.parts import Part
from mappings.context import Event, InboundContext
from mappings.inbound.mes_json.parts import OrderMessage, Position, head, line, positions
from mappings.inbound.payload import Payload, load, present, reason_code


class Cause(Payload):
    code = Code(required=True, max_length=200)
    text = Text()


class ScrapPosition(Position):
    grund = Part(Cause, required=True)


class Scrap(OrderMessage):
    ausschuss = positions(ScrapPosition)


_SCHEMA = Scrap()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    message = load(_SCHEMA, payload)
    return [
        Event("production.scrapped.v1", _scrapped(message, position, f"ausschuss[{index}]", context))
        for index, position in enumerate(message["ausschuss"])
    ]


def _scrapped(
    message: Mapping[str, Any], position: Mapping[str, Any], place: str, context: InboundContext
) -> dict[str, Any]:
    data = head(message, context)
    lost = line(position, context, place)
    if storage := lost.pop("storage", None):
        data["location"] = data["location"] | {"storage": storage}
    order = message["auftrag"]
    return (
        data
        | lost
        | present(
            order_id=order["nummer"],
            segment=order.get("vorgang"),
            reason=reason_code(position["grund"]["code"], context, f"{place}.grund.code"),
            note=position["grund"].get("text"),
        )
    )
