"""One sample shift of the three plants: the orders that the ERP holds, and what each plant's own system reports.

The same run number and time give the same shift, byte for byte. Ids, orders and lots carry the run number, so that a
further shift is new to Lineside. A few faults are in it on purpose: each kind of trouble can be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from app.demo.shift_formats import (
    CONFIRMATION_COLUMNS,
    Body,
    as_file,
    b2mml_report,
    confirmations,
    confirmations_trailer,
    event,
    issue_rows,
    mes_messages,
    mes_move,
    mes_receipt,
    move_row,
    moved_data,
    movements_trailer,
    receipt_row,
    received_data,
)
from app.demo.shift_reports import Clock, Moved, Order, Received, move_material, plan_orders, receive_goods, work_on

LAST_RUN = 99_999
SHIFT_HOURS = 10

ASSEMBLY, MACHINING, PAINT_SHOP = "P100", "P200", "P300"
ASSEMBLY_MES, MACHINING_MES, LEGACY = "mes-p100", "mes-p200", "legacy-p300"

# Nobody has described these items: messages about them wait until somebody does.
UNKNOWN_ITEMS = {ASSEMBLY: "HUB-77", MACHINING: "GRIP-5", PAINT_SHOP: "BELL-1"}


@dataclass(frozen=True)
class Sending:
    """One request to ``POST /v1/messages``. ``repeats``: it is sent a second time, so nothing new comes of it."""

    source: str
    plant: str
    message_id: str
    message: Body
    repeats: bool = False


@dataclass(frozen=True)
class Drop:
    """One file for a source's drop folder; ``good_rows`` of its rows become messages."""

    source: str
    plant: str
    name: str
    body: bytes
    good_rows: int


@dataclass(frozen=True)
class Shift:
    """``orders`` stand in the ERP, and were read from there before anything is sent: first the plants' reports over
    HTTP, then the files in their order."""

    run: int
    orders: tuple[Order, ...]
    reports: tuple[Sending, ...]
    files: tuple[Drop, ...]

    def new_messages(self) -> Counter[str]:
        """How many messages of each plant are new to Lineside in this shift, the orders' releases among them."""
        return Counter(order.plant for order in self.orders) + self.new_reports()

    def new_reports(self) -> Counter[str]:
        """Those that are sent or dropped."""
        counts = Counter(sending.plant for sending in self.reports if not sending.repeats)
        for drop in self.files:
            counts[drop.plant] += drop.good_rows
        return counts


def sample_shift(run: int, ends_at: datetime) -> Shift:
    """The shift of this run number, over by ``ends_at``; raises ValueError for a number that ids have no room for."""
    if not 1 <= run <= LAST_RUN:
        raise ValueError(f"run {run} is not between 1 and {LAST_RUN}")
    random, clock = Random(run), Clock(ends_at - timedelta(hours=SHIFT_HOURS))
    orders = {plant: plan_orders(run, plant, random) for plant in (ASSEMBLY, MACHINING, PAINT_SHOP)}
    planned = tuple(order for plant in orders for order in orders[plant])
    assembly = _numbered(run, ASSEMBLY_MES, ASSEMBLY, _assembly(run, orders[ASSEMBLY], random, clock))
    machining = _numbered(run, MACHINING_MES, MACHINING, _machining(run, orders[MACHINING], random, clock))
    repeat = replace(assembly[0], repeats=True)
    dropped = _dropped(run, orders[PAINT_SHOP], random, clock)
    return Shift(run, planned, (*assembly, repeat, *machining), dropped)


def _numbered(run: int, source: str, plant: str, messages: Iterator[Body]) -> list[Sending]:
    return [
        Sending(source, plant, _message_id(run, plant, number), message)
        for number, message in enumerate(messages, start=1)
    ]


def _message_id(run: int, plant: str, number: int) -> str:
    return f"{plant}-{run:05d}-{number:03d}"


def _assembly(run: int, orders: list[Order], random: Random, clock: Clock) -> Iterator[Body]:
    """Vendor JSON. Its faults: a unit that the MES never used before, and goods that nobody has described."""
    clock_of_faults = Clock(clock.next())
    for worked in work_on(orders, random, clock):
        yield from mes_messages(worked)
    for moved in move_material(ASSEMBLY, random, clock):
        yield mes_move(moved)
    received = list(receive_goods(run, ASSEMBLY, random, clock))
    for goods in received:
        yield mes_receipt(goods)
    palletful = mes_move(Moved(clock_of_faults.next(), "WHEEL-10", Decimal(1), "P100-ST", "P100-WIP"))
    yield replace(palletful, body=palletful.body.replace(b'"STK"', b'"PAL"'))
    yield mes_receipt(replace(received[0], at=clock.next(), item=UNKNOWN_ITEMS[ASSEMBLY]))


def _machining(run: int, orders: list[Order], random: Random, clock: Clock) -> Iterator[Body]:
    """B2MML, and canonical events for what the standard's performance has no words for. Its faults: a document in
    pounds, and a move of an item that nobody has described."""
    reports = [b2mml_report(worked) for worked in work_on(orders, random, clock)]
    yield from reports
    moves = list(move_material(MACHINING, random, clock))
    strange = replace(moves[0], at=clock.next(), item=UNKNOWN_ITEMS[MACHINING])
    goods = list(receive_goods(run, MACHINING, random, clock))
    others: list[Moved | Received] = [*moves, *goods, strange]
    for number, report in enumerate(others, start=len(reports) + 1):
        yield _canonical(_message_id(run, MACHINING, number), report)
    yield replace(reports[0], body=reports[0].body.replace(b">each<", b">lb<"))


def _canonical(message_id: str, report: Moved | Received) -> Body:
    if isinstance(report, Moved):
        data, event_type = moved_data(report), "inventory.moved.v1"
    else:
        data, event_type = received_data(report, "P200-ST"), "receipt.recorded.v1"
    return event(MACHINING_MES, MACHINING, event_type, message_id, report.at, data)


def _dropped(run: int, orders: list[Order], random: Random, clock: Clock) -> tuple[Drop, ...]:
    """Two files of the legacy system. Their faults: a row that lacks a column, a movement code that nobody knows, and
    a transfer of an item that nobody has described."""
    reports = list(work_on(orders, random, clock))
    moves = list(move_material(PAINT_SHOP, random, clock))
    goods = list(receive_goods(run, PAINT_SHOP, random, clock))
    first = run * 1_000
    movements = list(issue_rows(reports, first))
    movements += [move_row(first + 300 + number, moved) for number, moved in enumerate(moves)]
    movements += [receipt_row(first + 400 + number, received) for number, received in enumerate(goods)]
    movements.append(move_row(first + 500, replace(moves[0], at=clock.next()), code="999"))
    movements.append(move_row(first + 501, replace(moves[0], at=clock.next(), item=UNKNOWN_ITEMS[PAINT_SHOP])))
    rows = list(confirmations(reports, first))
    torn = f"{first + 600:010d};{orders[0].number.zfill(12)};0010;{orders[0].item}"
    moved = as_file([*movements, movements_trailer(movements)])
    confirmed = as_file([*rows, torn, confirmations_trailer([*rows, torn])], CONFIRMATION_COLUMNS)
    return (
        Drop(LEGACY, PAINT_SHOP, f"MOVE{run:05d}.txt", moved, len(movements)),
        Drop(LEGACY, PAINT_SHOP, f"CONF{run:05d}.csv", confirmed, len(rows)),
    )
