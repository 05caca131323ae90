"""``adventureworks.work_order``: a row of WorkOrder tells a production order from its release to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.adventureworks.columns import Column, moment, needed, quantity, read_row
from mappings.inbound.payload import Payload, present, reason_code, transformation_id, wrong

_Row = Mapping[str, str]


class WorkOrder(Payload):
    WorkOrderID = Column(required=True)
    ProductID = Column(required=True)
    OrderQty = Column(required=True)
    StockedQty = Column(required=True)
    ScrappedQty = Column(required=True)
    StartDate = Column(required=True)
    EndDate = Column(required=True)
    DueDate = Column(required=True)
    ScrapReasonID = Column(required=True)


_SCHEMA = WorkOrder()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    """Release, scrap, completion, in this order: before its release nothing is reported of an order, and nothing comes
    after its end."""
    row = read_row(_SCHEMA, payload)
    scrapped = quantity(row, "ScrappedQty", context)
    events = [_release(row, context)]
    if scrapped["value"] != "0":
        events.append(_scrap(row, scrapped, context))
    if row["EndDate"]:
        events.append(_completion(row, context))
    return events


def _release(row: _Row, context: InboundContext) -> Event:
    start = moment(row, "StartDate", context)
    planned = {
        "item": needed(row, "ProductID"),
        "quantity": quantity(row, "OrderQty", context, "positive"),
        "start": start,
    }
    end = moment(row, "DueDate", context) if row["DueDate"] else None
    return Event("production.order.released.v1", _head(row, start, context) | planned | present(end=end))


def _scrap(row: _Row, scrapped: dict[str, str], context: InboundContext) -> Event:
    if not row["EndDate"]:
        told = "EndDate is empty, and ScrappedQty is more than zero: when that was scrapped is not told"
        raise wrong("time_missing", told, "EndDate")
    lost = {
        "item": needed(row, "ProductID"),
        "quantity": scrapped,
        "reason": reason_code(needed(row, "ScrapReasonID"), context, "ScrapReasonID"),
    }
    return Event("production.scrapped.v1", _head(row, moment(row, "EndDate", context), context) | lost)


def _completion(row: _Row, context: InboundContext) -> Event:
    """Only of an order that has ended: before that StockedQty is what was ordered, not what was made."""
    made = quantity(row, "StockedQty", context)
    completed = {
        "transformation_id": transformation_id(context, row["WorkOrderID"]),
        "outputs": [{"item": needed(row, "ProductID"), "quantity": made}] if made["value"] != "0" else [],
        "final": True,
    }
    return Event("production.completed.v1", _head(row, moment(row, "EndDate", context), context) | completed)


def _head(row: _Row, event_time: str, context: InboundContext) -> dict[str, Any]:
    return {
        "event_time": event_time,
        "location": {"site": context.plant.code},
        "order_id": needed(row, "WorkOrderID"),
    }
