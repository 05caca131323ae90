"""The ERP's planner in the demonstration: the orders of a shift stand in Tryton before they are released."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from app.adapters import tryton_documents as documents
from app.adapters.bounded_http import BoundedHttp
from app.adapters.tryton_models import PRODUCTION
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import TrytonRest
from app.demo.shift_reports import BASE_UNITS, Order

CALL_TIMEOUT_SECONDS = 30.0


def enter_orders(url: str, key: str, orders: Iterable[Order], day: date) -> None:
    """Every order once, however often this is called: a waiting production with the order's number as reference.

    Waiting, not draft: that is Tryton's word for a planned order, it gives the order Tryton's own number, and no stock
    is reserved by it.
    """
    records = TrytonRecords(TrytonRest(url, key, BoundedHttp(CALL_TIMEOUT_SECONDS, 1)), None)
    for order in orders:
        _enter(order, day, records)


def _enter(order: Order, day: date, records: TrytonRecords) -> None:
    found = records.rest.search(PRODUCTION, _of_order(order.number), ["state", "reference"], limit=1)
    if not found:
        values = documents.body(_planned(order, day), order.number, records)
        found = [records.rest.create(PRODUCTION, values, ["state", "reference"], records.context)]
    if found[0]["state"] == "draft" and found[0]["reference"] == order.number:
        records.rest.act(PRODUCTION, found[0]["id"], "wait", ["state"], records.context)


def _planned(order: Order, day: date) -> dict[str, Any]:
    line = {"item": order.item, "quantity": str(order.planned), "uom": BASE_UNITS[order.item]}
    ends = {"inputs": [], "outputs": [line], "explode": True}
    return {"form": "production", "warehouse": order.plant, "day": day.isoformat(), "note": "", **ends}


def _of_order(number: str) -> list[Any]:
    """The order while it is open, or what was reported on it: nothing is, before the whole shift has been entered."""
    reported = f"{documents.ANY_KEY} {number}"
    return ["OR", ["reference", "=", number], ["reference", "like", reported], ["reference", "like", f"{reported} %"]]
