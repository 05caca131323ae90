"""``legacy.confirmation``: a row says how many were good, how many were lost, and whether the order is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.legacy_files.columns import Column, day_and_time, needed, quantity, unpadded, words
from mappings.inbound.payload import Payload, load, present, reason_code, transformation_id, wrong


class Confirmation(Payload):
    record_no = Column(required=True)
    order_no = Column(required=True)
    operation = Column(required=True)
    item_no = Column(required=True)
    good_qty = Column(required=True)
    scrap_qty = Column(required=True)
    unit = Column(required=True)
    reason = Column(required=True)
    lot_no = Column(required=True)
    posted_on = Column(required=True)
    posted_time = Column(required=True)
    last = Column(required=True)


_SCHEMA = Confirmation()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    """Scrap first: the completion may be the order's last event, and nothing of an order comes after that."""
    row = words(load(_SCHEMA, payload))
    good, lost = quantity(row, "good_qty", context), quantity(row, "scrap_qty", context)
    final = _is_last(row)
    if good["value"] == "0" and lost["value"] == "0" and not final:
        reason = "good_qty and scrap_qty are both zero, and the order goes on; discard the row if that is right."
        raise MappingError("nothing_reported", reason, "good_qty")
    head = _head(row, context)
    events = []
    if lost["value"] != "0":
        scrapped = {
            "item": _item(row),
            "quantity": lost,
            "reason": reason_code(needed(row, "reason"), context, "reason"),
        }
        events.append(Event("production.scrapped.v1", head | present(lot=row["lot_no"]) | scrapped))
    if good["value"] != "0" or final:
        events.append(Event("production.completed.v1", head | _completed(row, good, final, context)))
    return events


def _completed(row: Mapping[str, str], good: dict[str, str], final: bool, context: InboundContext) -> dict[str, Any]:
    """The link from a lot to its inputs is the order's alone: this system's issues name no operation."""
    output = present(item=_item(row), lot=row["lot_no"]) | {"quantity": good}
    return {
        "transformation_id": transformation_id(context, unpadded(needed(row, "order_no"))),
        "outputs": [output] if good["value"] != "0" else [],
        "final": final,
    }


def _head(row: Mapping[str, str], context: InboundContext) -> dict[str, Any]:
    return present(
        event_time=day_and_time(row, "posted_on", "posted_time", context),
        location={"site": context.plant.code},
        order_id=unpadded(needed(row, "order_no")),
        segment=row["operation"],
    )


def _item(row: Mapping[str, str]) -> str:
    return unpadded(needed(row, "item_no"))


def _is_last(row: Mapping[str, str]) -> bool:
    if row["last"] not in ("", "X"):
        raise wrong("payload_invalid", f"last is {row['last'][:20]!r}; it must be X or empty", "last")
    return row["last"] == "X"
