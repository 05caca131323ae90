"""``mes.move``: material goes from one place of the plant to another, or changes its stock status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.canonical.fields import Code
from mappings.canonical.parts import Part
from mappings.context import Event, InboundContext
from mappings.inbound.mes_json.parts import Message, Position, head, line, stock_status
from mappings.inbound.payload import Payload, load, present, storage_code


class End(Payload):
    lagerort = Code()
    platz = Code()
    status = Code()


class Move(Message, Position):
    von = Part(End, required=True)
    nach = Part(End, required=True)


_SCHEMA = Move()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    message = load(_SCHEMA, payload)
    moved = line(message, context)
    moved.pop("storage", None)
    ends = {"from": _place(message["von"], "von", context), "to": _place(message["nach"], "nach", context)}
    return [Event("inventory.moved.v1", head(message, context) | moved | ends)]


def _place(end: Mapping[str, Any], place: str, context: InboundContext) -> dict[str, Any]:
    return present(
        storage=storage_code(end.get("lagerort"), context, f"{place}.lagerort"),
        bin=end.get("platz"),
        stock_status=stock_status(end.get("status"), f"{place}.status"),
    )
