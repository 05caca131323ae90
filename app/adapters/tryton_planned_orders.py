"""The production orders that stand in Tryton to be made, in Lineside's words.

A planner's order is an assembly in state waiting whose reference is the order's number; what Lineside posted itself
bears a posting key there and is no order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.adapters.base import PlannedOrder
from app.adapters.tryton_documents import is_ours
from app.adapters.tryton_models import PRODUCTION
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import tryton_instant
from mappings.canonical.fields import instant_text
from mappings.units import plain

# Small pages, since every order brings its materials in further calls.
_ORDERS_A_PAGE = 200
_FIELDS = ("reference", "number", "warehouse.code", "product.code", "quantity", "unit.symbol")
_TIMES = ("planned_start_date", "planned_date", "create_date", "write_date")
_MATERIAL_FIELDS = ("production_input", "product.code", "quantity", "unit.symbol")

Record = Mapping[str, Any]
Materials = Mapping[int, Mapping[tuple[str, str], Decimal]]


def planned_orders(records: TrytonRecords, since: datetime | None) -> Iterator[PlannedOrder]:
    """Every order that waits, or those that were changed from ``since`` on."""
    last = 0
    while True:
        domain = [_waiting(records), ["id", ">", last], *([_changed(since)] if since else [])]
        page = records.rest.search(PRODUCTION, domain, (*_FIELDS, *_TIMES), limit=_ORDERS_A_PAGE)
        if not page:
            return
        last = page[-1]["id"]
        orders = [record for record in page if not is_ours(record["reference"])]
        if orders:
            materials = _materials([record["id"] for record in orders], records)
            now = _as_they_are_now(orders, records)
            several = Counter(_key(record) for record in now.values())
            for record in orders:
                # What was changed between the calls, or closed, may have another's materials: it is read next time.
                if record["id"] in now and now[record["id"]]["write_date"] == record["write_date"]:
                    yield _order(record, materials, several[_key(record)])


def _waiting(records: TrytonRecords) -> list[Any]:
    return [
        ["state", "=", "waiting"],
        ["type", "=", "assembly"],
        ["company", "=", records.company_id],
        ["reference", "!=", None],
        ["reference", "!=", ""],
    ]


def _changed(since: datetime) -> list[Any]:
    instant = tryton_instant(since)
    return ["OR", ["write_date", ">=", instant], [["write_date", "=", None], ["create_date", ">=", instant]]]


def _as_they_are_now(orders: Sequence[Record], records: TrytonRecords) -> Mapping[int, Record]:
    """Every order that waits under one of these numbers, by its id: also those that are not read now."""
    numbers = sorted({record["reference"] for record in orders})
    domain = [_waiting(records), ["reference", "in", numbers]]
    found = records.rest.every(PRODUCTION, domain, ("reference", "warehouse.code", "write_date"))
    return {record["id"]: record for record in found}


def _key(record: Record) -> tuple[str, str]:
    return record["warehouse"]["code"], record["reference"]


def _materials(order_ids: Sequence[int], records: TrytonRecords) -> Materials:
    """By order, item and unit: a reservation that was given up leaves one need in several moves."""
    needs: dict[int, dict[tuple[str, str], Decimal]] = {}
    domain = [["production_input", "in", list(order_ids)], ["state", "!=", "cancelled"]]
    for move in records.rest.every("stock.move", domain, _MATERIAL_FIELDS):
        order = needs.setdefault(move["production_input"], {})
        key = move["product"]["code"], move["unit"]["symbol"]
        order[key] = order.get(key, Decimal(0)) + _decimal(move["quantity"])
    return needs


def _order(record: Record, materials: Materials, entered: int) -> PlannedOrder:
    changed_at = _instant(record["write_date"] or record["create_date"])
    order = PlannedOrder(
        plant=record["warehouse"]["code"],
        order_id=record["reference"],
        item=(record["product"] or {}).get("code"),
        quantity=_amount(_decimal(record["quantity"] or 0), (record["unit"] or {}).get("symbol")),
        materials=[
            {"item": item, "quantity": _amount(value, symbol)}
            for (item, symbol), value in sorted(materials.get(record["id"], {}).items(), key=str)
            if value
        ],
        document_ref={"type": "production", "id": record["number"]},
        changed_at=changed_at,
    )
    if record["planned_start_date"]:
        order["start"] = _day(record["planned_start_date"])
    if record["planned_date"]:
        order["end"] = _day(record["planned_date"])
    if entered > 1:
        order["fault"] = f"{entered} productions wait in Tryton under this number; leave one of them"
    return order


def _amount(value: Decimal, symbol: Any) -> dict[str, Any]:
    return {"value": plain(value), "uom": symbol}


def _day(value: Record) -> str:
    return f"{value['year']:04}-{value['month']:02}-{value['day']:02}"


def _instant(value: Record) -> str:
    """Tryton's timestamps are in UTC."""
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return instant_text(datetime(*(int(value[part]) for part in parts), tzinfo=UTC))  # type: ignore[misc,arg-type]


def _decimal(number: object) -> Decimal:
    return Decimal(str(number))
