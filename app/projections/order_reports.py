"""What events report of production orders, and what the reports of an order come to.

As in the ledger, the result depends on which reports there are and not on the order in which they are entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.projections.lot_links import IN, OUT, Link, LinkKey, add_links
from app.projections.production_orders import open_orders
from app.projections.upsert import upsert
from app.store.key_sets import among
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport
from mappings.canonical import contract
from mappings.context import Event, ItemFacts
from mappings.units import Quantity, quantity, to_base

CHUNK = 200
SUMS = ("produced", "consumed", "scrapped")


class Reported(StrEnum):
    PRODUCED = "produced"
    CONSUMED = "consumed"
    SCRAPPED = "scrapped"
    ENDED = "ended"


@dataclass(frozen=True)
class ReportLine:
    """``amount`` is in the item's base unit; an end has neither item nor amount. Lines of one ``transformation`` belong
    together: what was consumed in it became what it produced."""

    message_id: int
    event_index: int
    line: int
    plant: str
    order_id: str
    kind: Reported
    happened_at: datetime
    transformation: str
    item: str | None = None
    amount: Quantity | None = None
    lot: str | None = None
    reason: str | None = None

    @property
    def order(self) -> tuple[str, str]:
        return self.plant, self.order_id


def lines_of(
    message_id: int, index: int, plant: str, event: Event, items: Mapping[str, ItemFacts]
) -> Iterator[ReportLine]:
    """Every line of what the event reports of its order; nothing where it reports of none.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    if event.type not in _LINES:
        return
    moment, data = contract.event_time(event), event.data
    transformation = data.get("transformation_id") or data["order_id"]
    number = 0
    for number, (kind, line) in enumerate(_lines(event), start=1):
        amount = quantity(line["quantity"])
        amount = to_base(amount, items[line["item"]]) if line["item"] in items else amount
        told = (line["item"], amount, line.get("lot"), data.get("reason"))
        yield ReportLine(message_id, index, number, plant, data["order_id"], kind, moment, transformation, *told)
    if data.get("final"):
        order = data["order_id"]
        yield ReportLine(message_id, index, number + 1, plant, order, Reported.ENDED, moment, transformation)


def reports_of_order(event: Event) -> bool:
    return event.type in _LINES


_LINES = {
    "production.completed.v1": (Reported.PRODUCED, "outputs"),
    "material.issued.v1": (Reported.CONSUMED, "components"),
    "production.scrapped.v1": (Reported.SCRAPPED, ""),
}


def _lines(event: Event) -> Iterator[tuple[Reported, Mapping[str, Any]]]:
    kind, name = _LINES[event.type]
    for line in event.data[name] if name else (event.data,):
        yield kind, line


def enter_reports(session: Session, lines: Sequence[ReportLine], now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if not lines:
        return
    orders = {line.order for line in lines}
    open_orders(session, orders, now)
    session.connection().execute(insert(OrderReport), [_values(line, now) for line in lines])
    gains: dict[tuple[str, str, str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(SUMS, Decimal(0)))
    for line in lines:
        if line.item is not None and line.amount is not None:
            gains[*line.order, line.item, line.amount.uom][line.kind.value] += line.amount.value
    _add(session, gains)
    add_links(session, [link for line in lines if (link := _link(line)) is not None])
    _tell_progress(session, orders)


def void_reports(session: Session, message_ids: Collection[int], now: datetime) -> set[tuple[str, str]]:
    """Take the reports of these messages, which were reversed, out; they stay as void. Returns their orders."""
    query = select(OrderReport).where(OrderReport.message_id.in_(sorted(message_ids)), OrderReport.void_at.is_(None))
    voided = session.execute(query.order_by(OrderReport.id)).scalars().all()
    gains: dict[tuple[str, str, str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(SUMS, Decimal(0)))
    for report in voided:
        report.void_at = now
        if report.item is not None and report.uom is not None and report.quantity is not None:
            gains[report.plant, report.order_id, report.item, report.uom][report.kind] -= report.quantity
    session.flush()
    _add(session, gains)
    add_links(session, [link for report in voided if (link := _cut(report)) is not None])
    orders = {(report.plant, report.order_id) for report in voided}
    _tell_progress(session, orders)
    return orders


def already_reported(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages that have reports which count."""
    query = select(OrderReport.message_id).where(OrderReport.message_id.in_(message_ids), OrderReport.void_at.is_(None))
    return set(session.execute(query.distinct()).scalars()) if message_ids else set()


def _values(line: ReportLine, now: datetime) -> dict[str, Any]:
    return {
        "plant": line.plant,
        "order_id": line.order_id,
        "message_id": line.message_id,
        "event_index": line.event_index,
        "line": line.line,
        "kind": line.kind.value,
        "item": line.item,
        "uom": line.amount.uom if line.amount else None,
        "quantity": line.amount.value if line.amount else None,
        "lot": line.lot,
        "transformation": line.transformation,
        "reason": line.reason,
        "happened_at": line.happened_at,
        "entered_at": now,
        "void_at": None,
    }


_DIRECTIONS = {Reported.CONSUMED.value: IN, Reported.PRODUCED.value: OUT}


def _link(line: ReportLine) -> Link | None:
    if line.kind.value not in _DIRECTIONS or line.item is None or line.amount is None:
        return None
    lot = LinkKey(
        line.plant, line.transformation, _DIRECTIONS[line.kind.value], line.item, line.lot or "", line.amount.uom
    )
    return Link(lot, line.amount.value, line.order_id)


def _cut(report: OrderReport) -> Link | None:
    if report.kind not in _DIRECTIONS or report.item is None or report.uom is None or report.quantity is None:
        return None
    direction, lot = _DIRECTIONS[report.kind], report.lot or ""
    key = LinkKey(report.plant, report.transformation, direction, report.item, lot, report.uom)
    return Link(key, -report.quantity, report.order_id)


_ITEM_KEY = (OrderItem.plant, OrderItem.order_id, OrderItem.item, OrderItem.uom)


def _add(session: Session, gains: Mapping[tuple[str, str, str, str], Mapping[str, Decimal]]) -> None:
    keys = sorted(gains)
    were: dict[tuple[str, ...], Any] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(*_ITEM_KEY, *(getattr(OrderItem, name) for name in SUMS))
        query = query.where(among(_ITEM_KEY, keys[start : start + CHUNK]))
        were |= {tuple(row)[:4]: row for row in session.execute(query)}
    names = [column.key for column in _ITEM_KEY]
    rows = []
    for key in keys:
        was = were.get(key)
        sums = {name: gains[key][name] + (getattr(was, name) if was else 0) for name in SUMS}
        rows.append({**dict(zip(names, key, strict=True)), **sums})
    upsert(session, OrderItem, names, SUMS, rows)


def open_progress(session: Session, orders: Collection[tuple[str, str]]) -> None:
    """Rows for these orders (plant, order), where there are none yet: nothing was reported of them so far."""
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    rows = [{"plant": plant, "order_id": order_id} for plant, order_id in sorted(orders)]
    if rows:
        session.connection().execute(build(OrderProgress).on_conflict_do_nothing(), rows)


def _tell_progress(session: Session, orders: Collection[tuple[str, str]]) -> None:
    """When each of these began, was last reported of and ended, from its reports that count."""
    keys = sorted(orders)
    rows: list[dict[str, Any]] = []
    key = (OrderReport.plant, OrderReport.order_id)
    end = case((OrderReport.kind == Reported.ENDED.value, OrderReport.happened_at))
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        query = select(*key, func.min(OrderReport.happened_at), func.max(OrderReport.happened_at), func.max(end))
        query = query.where(among(key, chunk), OrderReport.void_at.is_(None)).group_by(*key)
        found = {(row[0], row[1]): tuple(row)[2:] for row in session.execute(query)}
        for plant, order_id in chunk:
            moments = found.get((plant, order_id), (None, None, None))
            told = dict(zip(("started_at", "reported_at", "ended_at"), moments, strict=True))
            rows.append({"plant": plant, "order_id": order_id, **told})
    upsert(session, OrderProgress, ["plant", "order_id"], ("started_at", "reported_at", "ended_at"), rows)
