"""A move that the sending and the receiving system both tell counts once, whoever tells it first or takes it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.dead_letters.reversal import reverse
from app.inbox.accept import Incoming
from app.pipeline.context import Pipeline
from app.projections.ledger import Entry, enter, void
from app.projections.movements import legs_of
from app.projections.projector import rebuild
from app.projections.transfers import Transfer, enter_transfers, transfer_of, void_transfers
from app.store.ledger_tables import ItemStock, Movement, Stock, TransferTelling
from app.store.session import Store
from mappings.context import Event
from mappings.units import plain
from tests.factories import NOON, accept, incoming, know_items, pipeline, run_once
from tests.facts import ea, enter_all
from tests.fakes import Books

pytestmark = pytest.mark.slow

SENDER, RECEIVER = "wms-a", "wms-b"
AT = "2026-03-02T09:00:00Z"


def moved(message_id: str, source: str = SENDER, at: str = AT, **data: Any) -> Incoming:
    """A transfer of four wheels from P100 to P200 under transfer order T1, told by its sender to its own plant."""
    ends = {"from": {"site": "P100", "storage": "A"}, "to": {"site": "P200", "storage": "B"}}
    document = {"document_ref": {"type": "transfer_order", "id": "T1"}}
    body = {"event_time": at, "item": "WHEEL-10", "quantity": ea("4"), **ends, **document} | data
    body = {name: value for name, value in body.items() if value is not None}
    plant = "P200" if source == RECEIVER else "P100"
    return incoming(message_id, "inventory.moved.v1", body, source=source, plant=plant)


@pytest.fixture
def line(store: Store) -> Pipeline:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    mes = line.topology.sources["mes"]
    sources = {code: replace(mes, code=code) for code in (SENDER, RECEIVER)}
    return replace(line, topology=replace(line.topology, sources=sources))


def post(line: Pipeline, *messages: Incoming) -> list[int]:
    ids = accept(line.store, *messages)
    work(line)
    return ids


def work(line: Pipeline) -> None:
    for plant in ("P100", "P200", "P100"):
        run_once(line, plant)
    enter_all(line.store)


def undo(line: Pipeline, message_id: int) -> None:
    with line.store.writing() as session:
        reverse(session, message_id, "a mistake", "ada", NOON, line.topology.lanes_of)
    work(line)


def stock_of(store: Store) -> dict[tuple[str, str], str]:
    with store.reading() as session:
        rows = session.scalars(select(Stock)).all()
        sums = Counter[str]()
        for row in rows:
            sums[row.plant] += int(row.quantity)
        by_item = {row.plant: int(row.unrestricted) for row in session.scalars(select(ItemStock))}
        assert {plant: value for plant, value in by_item.items() if value} == {p: v for p, v in sums.items() if v}
        return {(row.plant, row.storage): plain(row.quantity) for row in rows if row.quantity}


ONCE = {("P100", "A"): "-4", ("P200", "B"): "4"}
TWICE = {("P100", "A"): "-8", ("P200", "B"): "8"}


@pytest.mark.parametrize("first", [SENDER, RECEIVER])
def test_a_transfer_that_both_ends_tell_counts_once_whoever_tells_it_first(line: Pipeline, first: str) -> None:
    second = RECEIVER if first == SENDER else SENDER
    post(line, moved("m1", first))
    at_first = stock_of(line.store)

    post(line, moved("m2", second, at="2026-03-02T11:00:00Z"))

    assert (at_first, stock_of(line.store)) == (ONCE, ONCE)


@pytest.mark.parametrize("undone", [0, 1])
def test_when_one_telling_is_reversed_the_other_counts(line: Pipeline, undone: int) -> None:
    both = post(line, moved("m1"), moved("m2", RECEIVER, at="2026-03-02T08:00:00Z"))

    undo(line, both[undone])
    one_left = stock_of(line.store)
    undo(line, both[1 - undone])

    assert (one_left, stock_of(line.store)) == (ONCE, {})


@pytest.mark.parametrize(
    "other",
    [
        {"document_ref": {"type": "transfer_order", "id": "T2"}},
        {"document_ref": {"type": "delivery", "id": "T1"}},
        {"document_ref": None},
        {"lot": "L1"},
        {"sub_lot": "L1/1"},
        {"serials": ["S1"]},
    ],
)
def test_moves_that_differ_in_document_or_goods_count_each(line: Pipeline, other: dict[str, Any]) -> None:
    post(line, moved("m1"), moved("m2", RECEIVER, **other))

    with line.store.reading() as session:
        assert len(session.scalars(select(Movement.id)).all()) == 4


def test_moves_of_other_quantity_or_places_count_each(line: Pipeline) -> None:
    post(line, moved("m1"), moved("m2", RECEIVER, quantity=ea("3")))
    post(line, moved("m3", RECEIVER, to={"site": "P200", "storage": "C"}))

    assert stock_of(line.store) == {("P100", "A"): "-11", ("P200", "B"): "7", ("P200", "C"): "4"}


def test_what_one_system_tells_twice_under_one_document_are_two_moves(line: Pipeline) -> None:
    post(line, moved("m1"), moved("m2", at="2026-03-02T09:30:00Z"))
    by_sender = stock_of(line.store)

    post(line, moved("m3", RECEIVER), moved("m4", RECEIVER))

    assert (by_sender, stock_of(line.store)) == (TWICE, TWICE)


def test_built_anew_the_same_telling_counts(line: Pipeline) -> None:
    post(line, moved("m1"), moved("m2", RECEIVER, at="2026-03-02T08:00:00Z"))
    before = told(line.store)

    rebuild(line.store, NOON)
    enter_all(line.store)

    assert told(line.store) == before


def told(store: Store) -> tuple[list[Any], list[Any], dict[tuple[str, str], str]]:
    """What counts in the ledger, which tellings do, and stock."""
    columns = (Movement.message_id, Movement.event_index, Movement.leg, Movement.quantity, Movement.happened_at)
    query = select(*columns).where(Movement.void_at.is_(None)).order_by(*columns[:3])
    tellings = select(TransferTelling.message_id, TransferTelling.counts).order_by(TransferTelling.message_id)
    with store.reading() as session:
        rows = [(*row[:3], plain(row.quantity), row.happened_at) for row in session.execute(query)]
        return rows, [tuple(row) for row in session.execute(tellings)], stock_of(store)


@dataclass(frozen=True)
class Told:
    """One message: a transfer as a source tells it, or a count where it comes from. ``void``: reversed in the end."""

    source: str
    minute: int
    document: int
    amount: int
    void: bool

    def entries(self, number: int) -> tuple[list[Entry], Transfer | None]:
        moment = NOON + timedelta(minutes=self.minute)
        if self.source == "count":
            data: dict[str, Any] = {"item": "W", "counted": ea(str(self.amount)), "location": {"storage": "A"}}
            event = Event("inventory.counted.v1", data)
        else:
            ends = {"from": {"storage": "A"}, "to": {"site": "P200", "storage": "B"}}
            document = {"document_ref": {"type": "transfer_order", "id": f"T{self.document}"}}
            event = Event("inventory.moved.v1", {"item": "W", "quantity": ea(str(self.amount)), **ends, **document})
        legs = legs_of("P100", event, {})
        entries = [Entry(number, 0, leg_number, leg, moment) for leg_number, leg in enumerate(legs)]
        return entries, transfer_of(event, entries)


TOLD = st.lists(
    st.builds(
        Told,
        st.sampled_from(("a", "b", "c", "count")),
        st.integers(0, 5),
        st.integers(0, 1),
        st.integers(1, 2),
        st.booleans(),
    ),
    min_size=2,
    max_size=12,
)


def _enter(store: Store, all_told: Sequence[Told], numbers: Sequence[int], portions: int) -> None:
    with store.writing() as session:
        for table in (Movement, Stock, ItemStock, TransferTelling):
            session.execute(delete(table).execution_options(synchronize_session=False))
    sources = {number: one.source for number, one in enumerate(all_told, start=1)}
    for part in range(portions):
        mine = numbers[part::portions]
        read = [all_told[number - 1].entries(number) for number in mine]
        with store.writing() as session:
            enter(session, [entry for entries, transfer in read if transfer is None for entry in entries], NOON)
            enter_transfers(session, [transfer for _, transfer in read if transfer is not None], sources, NOON)
        with store.writing() as session:
            undone = {number for number in mine if all_told[number - 1].void}
            void(session, undone, NOON)
            void_transfers(session, undone, NOON)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(all_told=TOLD, portions=st.integers(1, 4), seed=st.integers(0, 1_000))
def test_each_transfer_counts_once_in_every_order_of_entering_and_reversing(
    store: Store, all_told: list[Told], portions: int, seed: int
) -> None:
    numbers = list(range(1, len(all_told) + 1))
    _enter(store, all_told, [number for number in numbers if not all_told[number - 1].void], 1)
    in_order = told(store)

    Random(seed).shuffle(numbers)
    _enter(store, all_told, numbers, portions)

    assert told(store) == in_order
    assert _arrived(store) == _expected(all_told)


def _arrived(store: Store) -> Decimal:
    with store.reading() as session:
        rows = session.scalars(select(Stock.quantity).where(Stock.plant == "P200"))
        return sum(rows, Decimal(0))


def _expected(all_told: Sequence[Told]) -> int:
    """Of each document and amount as many as the source that tells most of them does."""
    tellings = Counter((o.document, o.amount, o.source) for o in all_told if not o.void and o.source != "count")
    most: dict[tuple[int, int], int] = {}
    for (document, amount, _), number in tellings.items():
        most[document, amount] = max(most.get((document, amount), 0), number)
    return sum(amount * number for (_, amount), number in most.items())
