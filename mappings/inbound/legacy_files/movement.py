"""``legacy.movement``: one stock movement a row; its code says which.

101 receipt of a purchase order (``order_no`` is its number, with ``/`` and the line where there is one), 261 issue to
a production order, 311 transfer between storage locations, 551 scrap. Scrap without an order is taken off the stock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.legacy_files.columns import Column, needed, quantity, stamp, unpadded, words
from mappings.inbound.payload import Payload, load, present, storage_code, transformation_id, wrong

_Row = Mapping[str, str]
_SCRAP_REASON = "movement 551"


class Movement(Payload):
    record_no = Column(required=True)
    movement = Column(required=True)
    item_no = Column(required=True)
    quantity = Column(required=True)
    unit = Column(required=True)
    from_storage = Column(required=True)
    to_storage = Column(required=True)
    order_no = Column(required=True)
    lot_no = Column(required=True)
    posted_at = Column(required=True)


_SCHEMA = Movement()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    row = words(load(_SCHEMA, payload))
    to_event = _MOVEMENTS.get(row["movement"])
    if to_event is None:
        known = ", ".join(_MOVEMENTS)
        reason = (
            f"movement is {row['movement'][:20]!r}; understood are {known}. "
            "A reversal is posted by hand in the ERP; then discard this row."
        )
        raise MappingError("movement_unknown", reason, "movement")
    moved = quantity(row, "quantity", context)
    if moved["value"] == "0":
        raise wrong("quantity_invalid", "quantity must be more than zero", "quantity")
    return [to_event(row, moved, context)]


def _receipt(row: _Row, moved: dict[str, str], context: InboundContext) -> Event:
    order, _, line = needed(row, "order_no").partition("/")
    document_ref = present(
        type="purchase_order", id=unpadded(order.strip()), line=unpadded(line.strip()) if line else None
    )
    amounts = {"received": moved, "accepted": moved, "rejected": {**moved, "value": "0"}}
    head = _head(row, context, _storage(row, "to_storage", context))
    return Event("receipt.recorded.v1", head | _material(row) | amounts | {"document_ref": document_ref})


def _issue(row: _Row, moved: dict[str, str], context: InboundContext) -> Event:
    order = unpadded(needed(row, "order_no"))
    component = _material(row) | present(quantity=moved, storage=_storage(row, "from_storage", context))
    named = {"order_id": order, "transformation_id": transformation_id(context, order), "components": [component]}
    return Event("material.issued.v1", _head(row, context) | named)


def _transfer(row: _Row, moved: dict[str, str], context: InboundContext) -> Event:
    ends = {
        "from": {"storage": storage_code(needed(row, "from_storage"), context, "from_storage")},
        "to": {"storage": storage_code(needed(row, "to_storage"), context, "to_storage")},
    }
    return Event("inventory.moved.v1", _head(row, context) | _material(row) | {"quantity": moved} | ends)


def _scrap(row: _Row, moved: dict[str, str], context: InboundContext) -> Event:
    data = _head(row, context, _storage(row, "from_storage", context)) | _material(row) | {"reason": _SCRAP_REASON}
    if row["order_no"]:
        return Event("production.scrapped.v1", data | {"order_id": unpadded(row["order_no"]), "quantity": moved})
    return Event("inventory.adjusted.v1", data | {"delta": {**moved, "value": "-" + moved["value"]}})


_MOVEMENTS: Mapping[str, Callable[[_Row, dict[str, str], InboundContext], Event]] = {
    "101": _receipt,
    "261": _issue,
    "311": _transfer,
    "551": _scrap,
}


def _material(row: _Row) -> dict[str, Any]:
    return present(item=unpadded(needed(row, "item_no")), lot=row["lot_no"])


def _storage(row: _Row, column: str, context: InboundContext) -> str | None:
    return storage_code(row[column], context, column)


def _head(row: _Row, context: InboundContext, storage: str | None = None) -> dict[str, Any]:
    return {
        "event_time": stamp(row, "posted_at", context),
        "location": {"site": context.plant.code} | present(storage=storage),
    }
