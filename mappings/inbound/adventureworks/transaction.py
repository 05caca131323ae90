"""``adventureworks.transaction``: a row of TransactionHistory moves stock for an order: P a purchase order's, S a sales
order's, W a work order's.

Purchase lines and work orders tell the same once more, and better: P and W tell what was ordered, what was rejected or
scrapped with it. So the source's option ``transactions`` says which kinds count where those tables are loaded too; all
three unless told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mappings.context import CORRECT_IT, Event, InboundContext, MappingError, NothingToDo
from mappings.inbound.adventureworks.columns import Column, moment, needed, quantity, read_row
from mappings.inbound.payload import Payload, present, transformation_id
from mappings.options import TRANSACTIONS

_Row = Mapping[str, str]


class Transaction(Payload):
    ProductID = Column(required=True)
    ReferenceOrderID = Column(required=True)
    ReferenceOrderLineID = Column(required=True)
    TransactionDate = Column(required=True)
    TransactionType = Column(required=True)
    Quantity = Column(required=True)


_SCHEMA = Transaction()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    row = read_row(_SCHEMA, payload)
    kind = row["TransactionType"]
    to_event = _KINDS.get(kind)
    if to_event is None:
        known = ", ".join(_KINDS)
        raise MappingError(
            "transaction_unknown",
            f"TransactionType is {kind[:20]!r}; understood are {known}. {CORRECT_IT}",
            "TransactionType",
        )
    counted = context.options.get("transactions", TRANSACTIONS)
    if kind not in counted:
        return NothingToDo(_counted_elsewhere(kind, counted))
    head = {"event_time": moment(row, "TransactionDate", context), "location": {"site": context.plant.code}}
    return [to_event(row, head, quantity(row, "Quantity", context, "positive"), context)]


def _counted_elsewhere(kind: str, counted: Sequence[str]) -> str:
    told = f"TransactionType is {kind}, and by the source's option `transactions` only {', '.join(counted) or 'none'}"
    return f"{told} counts; what another table tells is not told twice."


def _receipt(row: _Row, head: dict[str, Any], moved: dict[str, str], context: InboundContext) -> Event:
    amounts = {"received": moved, "accepted": moved, "rejected": {**moved, "value": "0"}}
    order = present(type="purchase_order", id=needed(row, "ReferenceOrderID"), line=_line(row))
    return Event("receipt.recorded.v1", head | {"document_ref": order, "item": needed(row, "ProductID")} | amounts)


def _shipment(row: _Row, head: dict[str, Any], moved: dict[str, str], context: InboundContext) -> Event:
    named = [needed(row, "ReferenceOrderID"), *filter(None, [_line(row)])]
    lines = [{"item": needed(row, "ProductID"), "quantity": moved}]
    return Event("shipment.confirmed.v1", head | {"delivery_id": "/".join(named), "lines": lines})


def _completion(row: _Row, head: dict[str, Any], moved: dict[str, str], context: InboundContext) -> Event:
    order = needed(row, "ReferenceOrderID")
    completed = {
        "order_id": order,
        "transformation_id": transformation_id(context, order),
        "outputs": [{"item": needed(row, "ProductID"), "quantity": moved}],
        "final": False,
    }
    return Event("production.completed.v1", head | completed)


def _line(row: _Row) -> str | None:
    """The order's line; 0 is no line, as a work order has none."""
    return None if row["ReferenceOrderLineID"] in ("", "0") else row["ReferenceOrderLineID"]


_KINDS: Mapping[str, Callable[[_Row, dict[str, Any], dict[str, str], InboundContext], Event]] = dict(
    zip(TRANSACTIONS, (_receipt, _shipment, _completion), strict=True)
)
