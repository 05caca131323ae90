"""Rounds of rules: one process at a time, a portion at a step, and each cause one exception while it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update
from sqlalchemy.orm import Session

from app.business_exceptions.acts import acknowledge, resolve
from app.business_exceptions.raising import Cause, raise_exceptions
from app.business_exceptions.rounds import tell_owners
from app.exception_rules import rounds
from app.exception_rules.registry import RULES
from app.exception_rules.rounds import judge_rules
from app.exception_rules.rule import Context, Rule
from app.projections.projector import project
from app.store.availability_tables import OrderNeed
from app.store.base import Base
from app.store.exception_tables import BusinessException, ExceptionNotice
from app.store.leases import take_lease
from app.store.ledger_tables import ItemStock
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderProgress, OrderReport
from app.store.postings_tables import Posting
from app.store.reference_tables import ProductionOrder
from app.store.session import Store
from tests.exception_desk import POLICY, Fake
from tests.exceptions import PLANT, Rounds, item_stock, order, topology_with
from tests.factories import NOON, accept, incoming, know_items, pipeline, run_once
from tests.fakes import Books, Clock

pytestmark = pytest.mark.slow


def short(store: Store, *items: str) -> None:
    with store.writing() as session:
        for item in items:
            item_stock(session, "-1", item=item)


def filled(store: Store, item: str, unrestricted: str) -> None:
    with store.writing() as session:
        session.execute(update(ItemStock).where(ItemStock.item == item).values(unrestricted=Decimal(unrestricted)))


@pytest.fixture
def here(store: Store) -> Rounds:
    return Rounds(store, topology_with({"negative_inventory_risk": {}}))


def test_what_a_person_resolved_is_not_raised_again_before_its_cause_was_gone(here: Rounds) -> None:
    short(here.store, "WHEEL-10")
    (raised,) = here.run()
    with here.store.writing() as session:
        resolve(session, raised.id, "otto", "Counted wrong.", here.clock())

    still_there = here.run()
    filled(here.store, "WHEEL-10", "1")
    gone = here.run()
    filled(here.store, "WHEEL-10", "-2")
    back = here.run()

    assert (still_there, gone) == ([], [])
    assert [one.id for one in back] == [raised.id + 1]
    assert here.all()[0].resolution == "Counted wrong."


def test_what_changes_is_brought_up_to_date_and_what_does_not_is_left_alone(here: Rounds) -> None:
    short(here.store, "WHEEL-10")
    (first,) = here.run()
    (same,) = here.run()
    with here.store.writing() as session:
        acknowledge(session, first.id, "otto", None, here.clock())
    filled(here.store, "WHEEL-10", "-7")
    (changed,) = here.run()

    assert (first.times, same.times, changed.times) == (1, 1, 2)
    assert "-7 EA" in changed.message
    assert (changed.id, changed.state) == (first.id, "acknowledged")


def test_more_than_are_of_use_are_told_together_until_there_is_room(
    here: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "UNRESOLVED_MOST", 5)
    short(here.store, *(f"ITEM-{number}" for number in range(8)))

    full = here.run()
    again = here.run()
    for number in range(5):
        filled(here.store, f"ITEM-{number}", "0")
    here.run()
    after = here.run()

    assert [one.object_id for one in full] == ["ITEM-0", "ITEM-1", "ITEM-2", "ITEM-3", "ITEM-4", PLANT]
    assert [one.id for one in again] == [one.id for one in full]
    assert [one.object_id for one in after] == ["ITEM-5", "ITEM-6", "ITEM-7"]


def test_a_rule_that_is_turned_off_closes_what_it_raised(here: Rounds) -> None:
    short(here.store, "WHEEL-10")
    here.run()
    here.topology = topology_with({"negative_inventory_risk": {"plants": {PLANT: {"enabled": False}}}})

    assert here.run() == []
    assert here.all()[0].resolution == "The topology does not ask for this any more."


def test_one_process_judges_at_a_time(here: Rounds) -> None:
    with here.store.writing() as session:
        take_lease(session, rounds.LEASE, "another", here.clock(), 60)

    assert judge_rules(here.store, here.topology, here.clock) == 0


def test_a_clock_that_is_set_back_stops_no_rule(here: Rounds) -> None:
    here.run()
    here.clock.now = NOON - timedelta(days=2)
    short(here.store, "WHEEL-10")

    assert len(here.run()) == 1


def test_a_walk_goes_on_where_it_ended_and_begins_anew_at_its_end(
    here: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PORTION", 2)
    monkeypatch.setattr(rounds, "PORTIONS_A_STEP", 1)
    short(here.store, *(f"ITEM-{number}" for number in range(5)))

    steps = [len(here.run()) for _ in range(3)]
    short(here.store, "ITEM-00")
    last = [len(here.run()) for _ in range(2)]

    assert steps == [2, 4, 5]
    assert last[-1] == 6


def test_a_message_on_its_way_through_raises_and_closes(store: Store) -> None:
    """From the door to the exception: a release takes more than there is, and a receipt brings it."""
    know_items(store)
    released: dict[str, Any] = {
        "event_time": "2026-03-02T08:00:00Z",
        "order_id": "1000",
        "item": "BIKE-100",
        "quantity": {"value": "4", "uom": "EA"},
        "start": "2026-03-02T13:00:00Z",
        "materials": [{"item": "WHEEL-10", "quantity": {"value": "8", "uom": "EA"}}],
    }
    counted = {
        "event_time": "2026-03-02T09:00:00Z",
        "item": "WHEEL-10",
        "storage": "A",
        "counted": {"value": "8", "uom": "EA"},
    }
    cost = {"event_time": "2026-03-02T07:00:00Z", "item": "WHEEL-10", "description": "Wheel", "base_uom": "EA"}
    cost["standard_cost"] = {"value": "12.50", "currency": "EUR"}  # type: ignore[assignment]
    here, line = Rounds(store, topology_with({"negative_inventory_risk": {}})), pipeline(store, {"erp": Books()})
    first, second = accept(
        store, incoming("i1", "item.changed.v1", cost), incoming("r1", "production.order.released.v1", released)
    )
    run_once(line)
    project(store, here.clock, 30.0)

    (raised,) = here.run()
    accept(store, incoming("n1", "inventory.counted.v1", _count(counted)))
    run_once(line)
    project(store, here.clock, 30.0)

    assert (raised.object_id, raised.value_at_risk, raised.currency) == ("WHEEL-10", Decimal(100), "EUR")
    assert (raised.messages["ids"], first < second) == ([second], True)
    assert here.run() == []


def _count(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_time": values["event_time"],
        "item": values["item"],
        "location": {"storage": values["storage"]},
        "counted": values["counted"],
    }


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    found: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        found.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


MANY = 3_000


@pytest.fixture(scope="module")
def crowd() -> dict[type[Base], list[dict[str, Any]]]:
    """Much that is over, beside little that may be an exception."""
    order_ids = [f"{number:05}" for number in range(MANY)]
    message = {"plant": PLANT, "source": "mes", "type": "x", "digest": "", "received_at": NOON, "state_at": NOON}
    report = {"plant": PLANT, "event_index": 0, "line": 1, "transformation": "t", "happened_at": NOON}
    posting = {"plant": PLANT, "ordinal": 0, "target": "wms", "required": True, "document": {}, "updated_at": NOON}
    return {
        Message: [{**message, "source_message_id": key, "state": "posted"} for key in order_ids],
        ProductionOrder: [
            {"plant": PLANT, "order_id": key, "planned": Decimal(1), "updated_at": NOON} for key in order_ids
        ],
        OrderProgress: [{"plant": PLANT, "order_id": key, "ended_at": NOON} for key in order_ids],
        OrderReport: [
            {**report, "order_id": key, "message_id": 1, "kind": "ended", "entered_at": NOON} for key in order_ids
        ],
        ItemStock: [
            {"plant": PLANT, "item": key, "uom": "EA", "unrestricted": Decimal(1), **dict.fromkeys(ZEROS, Decimal(0))}
            for key in order_ids
        ],
        OrderNeed: [
            {"plant": PLANT, "order_id": key, "item": f"I{key}", "uom": "EA", "quantity": Decimal(1)}
            for key in order_ids
        ],
        Posting: [
            {**posting, "message_id": 1, "posting_key": key, "kind": "quality.held.v1", "state": "posted"}
            for key in order_ids
        ],
    }


ZEROS = ("quality", "blocked", "reserved")


@pytest.fixture
def crowded(store: Store, crowd: dict[type[Base], list[dict[str, Any]]]) -> Store:
    with store.writing() as session:
        for table, rows in crowd.items():
            session.execute(insert(table), rows)
        order(session, "open")
        item_stock(session, "-1")
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return store


@pytest.mark.slow
def test_each_rule_looks_by_the_index_that_it_names(crowded: Store) -> None:
    topology = topology_with({word: {} for word in RULES})
    found = {
        word: _plans(crowded, rule, topology) for word, rule in RULES.items() if rule.terms.process != "integration"
    }

    assert len(found) == 7
    assert {word: plan for word, plan in found.items() if RULES[word].index not in plan} == {}


def _plans(store: Store, rule: Rule, topology: Any) -> str:
    context = Context(topology, PLANT, NOON, topology.exceptions.of(rule.word, PLANT))
    with statements(store) as made, store.reading() as session:
        rule.candidates(session, context, None, 200)
        chosen = list(made)
    with store.reading() as session:
        return "\n".join(_explained(store, session, statement, parameters) for statement, parameters in chosen)


def _explained(store: Store, session: Session, statement: str, parameters: Any) -> str:
    how = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN (FORMAT JSON)"
    rows: Sequence[Any] = session.connection().exec_driver_sql(f"{how} {statement}", parameters).all()
    return json.dumps([list(row) for row in rows], default=str)


@pytest.mark.slow
def test_a_round_over_much_that_is_over_reads_little(crowded: Store) -> None:
    """No table is read whole by it: what it judges is what is open."""
    here = Rounds(crowded, topology_with({word: {} for word in RULES}), Clock(NOON))
    here.run()

    with statements(crowded) as made:
        here.run()

    plans = []
    with crowded.reading() as session:
        for statement, parameters in made:
            if statement.lstrip().upper().startswith("SELECT") and " exception_walks" not in statement:
                plans.append((_explained(crowded, session, statement, parameters), statement))
    big = ("messages", "production_orders", "order_progress", "order_reports", "item_stock", "postings")
    whole = [
        (table, sql)
        for plan, sql in plans
        for table in big
        if f'"SCAN {table}"' in plan or re.search(f'"Seq Scan"[^{{}}]*"Relation Name": "{table}"', plan)
    ]
    assert plans
    assert whole == []


@pytest.mark.slow
def test_telling_reads_by_index_among_much_that_is_over(store: Store) -> None:
    over = {"rule": "x", "plant": PLANT, "subject": "", "severity": "notice", "message": "", "state": "resolved"}
    over |= {"times": 1, "first_seen_at": NOON, "last_seen_at": NOON}
    notice = {"exception_id": 1, "kind": "raised", "owner": "shift", "channel": "c", "body": {}, "state": "sent"}
    notice |= {"tries": 1, "due_at": NOON, "created_at": NOON - timedelta(hours=2)}
    with store.writing() as session:
        session.execute(insert(BusinessException), [{**over, "cause": str(number)} for number in range(MANY)])
        session.execute(insert(ExceptionNotice), [{**notice, "webhook_id": str(number)} for number in range(MANY)])
        raise_exceptions(session, [Cause("source_silent", "1", "s", "notice", "m")], NOON, POLICY)
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))

    with statements(store) as made:
        tell_owners(store, POLICY, Fake(), Clock(NOON))

    with store.reading() as session:
        plans = [
            (sql, _explained(store, session, sql.replace("FOR UPDATE SKIP LOCKED", ""), parameters))
            for sql, parameters in made
            if sql.lstrip().startswith("SELECT") and "exception" in sql
        ]
    whole = [sql for sql, plan in plans if '"Seq Scan"' in plan or '"SCAN exception_notices"' in plan]
    assert len(plans) >= 4
    assert whole == []
    assert [sql for sql, plan in plans if '"SCAN business_exceptions"' in plan] == []
