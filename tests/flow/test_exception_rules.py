"""Each rule raises on its condition, not one unit below its threshold, and closes when its cause is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.errors import Transient
from app.exception_rules.rules import stuck_backlog
from app.pipeline.outcome import target_reference
from app.store.availability_tables import OrderNeed
from app.store.ledger_tables import ItemStock, Stock
from app.store.messages_tables import Message, MessageDocument
from app.store.order_progress_tables import OrderProgress, TransformationLot
from app.store.postings_tables import Posting
from app.store.reference_tables import ProductionOrder
from app.store.session import Store
from app.store.target_tables import PlantPause
from tests.exceptions import PLANT, Rounds, ago, item_stock, need, order, priced, report, topology_with
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock

pytestmark = pytest.mark.slow

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Promise:
    """``below`` makes what is just within the threshold, ``beyond`` one unit more, ``mend`` takes the cause away."""

    rule: str
    settings: dict[str, Any]
    below: Callable[[Session], Any]
    beyond: Callable[[Session], Any]
    mend: Callable[[Session], Any]
    about: tuple[str, str]
    at_risk: str | None = None


def _change(table: Any, **values: Any) -> Callable[[Session], Any]:
    return lambda session: session.execute(update(table).values(**values))


def _late_order(session: Session) -> None:
    order(session, "4711", end=NOON + timedelta(seconds=15) - timedelta(minutes=30))
    report(session, "4711", "produced", "4")


def _over(session: Session) -> None:
    order(session, "4711")
    report(session, "4711", "produced", "11")


def _ended(session: Session) -> None:
    order(session, "4711")
    report(session, "4711", "ended", at=NOON + timedelta(seconds=15) - timedelta(minutes=60) + SECOND)


def _needs(session: Session) -> None:
    item_stock(session, "5", reserved="9")
    order(session, "1", planned_start_at=NOON + timedelta(hours=1), released_message_id=31)
    order(session, "2", planned_start_at=NOON + timedelta(hours=48, seconds=30), released_message_id=32)
    need(session, "1", "5")
    need(session, "2", "4")


def _allocated(session: Session) -> None:
    order(session, "4711", planned_start_at=NOON + timedelta(seconds=15) - timedelta(hours=8))
    need(session, "4711", "3")
    report(session, "4711", "consumed", "1", at=ago(hours=20), item="WHEEL-10")


def _lot(direction: str, item: str, lot: str) -> TransformationLot:
    key = {"plant": PLANT, "transformation": "T1", "order_id": "4711", "uom": "EA", "quantity": Decimal(4)}
    return TransformationLot(direction=direction, item=item, lot=lot, **key)


def _made_of_something(session: Session) -> None:
    order(session, "4711")
    at = NOON + timedelta(seconds=15) - timedelta(minutes=60) + SECOND
    report(session, "4711", "produced", "4", transformation="T1", lot="L-9", at=at)
    session.add_all([_lot("out", "BIKE-100", "L-9"), _lot("in", "WHEEL-10", ""), _lot("in", "GREASE", "")])
    session.add(Stock(plant=PLANT, item="WHEEL-10", uom="EA", lot="W-1", status="unrestricted", quantity=Decimal(1)))


def _hold(session: Session) -> None:
    at = NOON + timedelta(seconds=15) - timedelta(minutes=10)
    values = {"plant": PLANT, "source": "qms", "digest": "", "state": "posted", "state_at": at}
    message = Message(source_message_id="h1", type="quality.held.v1", received_at=at, **values)
    session.add(message)
    session.flush()
    held = {"type": "quality.held.v1", "data": {"lot": "L-7"}}
    session.add(MessageDocument(message_id=message.id, step="enriched", at=at, body=[held]))
    posting = {"plant": PLANT, "ordinal": 0, "kind": "quality.held.v1", "required": False, "document": {}}
    session.add(
        Posting(message_id=message.id, target="wms", state="refused", posting_key="k", updated_at=at, **posting)
    )


def _of_a_while_ago(seconds: float) -> Callable[[Session], Any]:
    moment = NOON + timedelta(seconds=15) - timedelta(seconds=seconds)
    return _change(Message, state_at=moment)


def _messages(took: list[float]) -> Callable[[Session], Any]:
    """Messages posted just now, each so many seconds after it was accepted."""

    def add(session: Session) -> None:
        for number, seconds in enumerate(took):
            fields = {"plant": PLANT, "source": "mes", "type": "x", "digest": "", "state": "posted"}
            sent = {"source_message_id": f"{seconds}-{number}", "received_at": NOON - timedelta(seconds=seconds)}
            session.add(Message(**fields, **sent, state_at=NOON))

    return add


PROMISES = [
    Promise(
        "delayed_confirmation",
        {"after_minutes": 30},
        _late_order,
        _change(ProductionOrder, planned_end_at=NOON + timedelta(seconds=30) - timedelta(minutes=30) - SECOND),
        _change(OrderProgress, ended_at=NOON),
        ("production_order", "4711"),
        "600.00",
    ),
    Promise(
        "over_completion",
        {"over_percent": 10},
        _over,
        lambda session: report(session, "4711", "produced", "0.001", message_id=9),
        _change(ProductionOrder, planned=Decimal(11)),
        ("production_order", "4711"),
        "100.10",
    ),
    Promise(
        "order_closed_without_receipt",
        {"after_minutes": 60},
        _ended,
        lambda session: None,  # time alone: the next round is later
        lambda session: report(session, "4711", "produced", "10"),
        ("production_order", "4711"),
        "1000.00",
    ),
    Promise(
        "negative_inventory_risk",
        {"within_hours": 48},
        _needs,
        _change(ItemStock, unrestricted=Decimal(4)),
        lambda session: session.execute(delete(OrderNeed).where(OrderNeed.order_id == "1")),
        ("item", "WHEEL-10"),
        "2.00",
    ),
    Promise(
        "stale_allocation",
        {"after_hours": 8},
        _allocated,
        _change(ProductionOrder, planned_start_at=NOON + timedelta(seconds=30) - timedelta(hours=8) - SECOND),
        lambda session: report(session, "4711", "consumed", "1", item="WHEEL-10"),
        ("production_order", "4711"),
        "6.00",
    ),
    Promise(
        "lot_traceability_gap",
        {"after_minutes": 60},
        _made_of_something,
        lambda session: None,
        _change(TransformationLot, lot="W-1"),
        ("lot", "L-9"),
        "400.00",
    ),
    Promise(
        "hold_not_synchronised",
        {"after_minutes": 10},
        _hold,
        lambda session: None,
        _change(Posting, state="posted"),
        ("lot", "L-7"),
    ),
    Promise(
        "stuck_backlog",
        {"after_minutes": 10},
        _of_a_while_ago(600),
        lambda session: None,
        _change(Message, state="posted"),
        ("plant", PLANT),
    ),
    Promise(
        "service_level_broken",
        {"over_percent": 5},
        _messages([1.0] * 19 + [61.0]),
        _messages([61.5]),
        _change(Message, received_at=NOON),
        ("plant", PLANT),
    ),
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.rule)
def test_a_rule_raises_beyond_its_threshold_and_closes_when_its_cause_is_gone(store: Store, promise: Promise) -> None:
    topology = replace(
        topology_with({promise.rule: promise.settings}), service_levels={"accept_to_posted_seconds": 60.0}
    )
    here = Rounds(store, topology, Clock(NOON - timedelta(minutes=1)))
    if promise.rule == "stuck_backlog":
        accept(store, move_event())
    here.run()  # where walks begin
    here.clock.now = NOON
    with store.writing() as session:
        priced(session, "BIKE-100", "100.00")
        priced(session, "WHEEL-10", "2")
        promise.below(session)

    within = here.run()
    with store.writing() as session:
        promise.beyond(session)
    raised = here.run()
    again = here.run()
    with store.writing() as session:
        promise.mend(session)
    after = here.run()

    assert within == []
    assert [(one.rule, one.plant, one.object_type, one.object_id) for one in raised] == [
        (promise.rule, PLANT, *promise.about)
    ]
    assert [(one.value_at_risk, one.currency) for one in raised] == [
        (Decimal(promise.at_risk), "EUR") if promise.at_risk else (None, None)
    ]
    assert raised[0].messages["ids"]
    assert [one.id for one in again] == [raised[0].id]
    assert after == []
    assert here.all()[0].resolved_by == "lineside"


def test_an_order_that_was_scrapped_whole_has_ended_rightly(store: Store) -> None:
    here = Rounds(store, topology_with({"order_closed_without_receipt": {"after_minutes": 0}}))
    here.run()
    with store.writing() as session:
        order(session, "4711")
        report(session, "4711", "scrapped", "10")
        report(session, "4711", "ended")

    assert here.run() == []


def test_what_was_reported_before_the_rules_were_asked_for_is_not_gone_through(store: Store) -> None:
    with store.writing() as session:
        _over(session)
    here = Rounds(store, topology_with({"over_completion": {}}))

    assert here.run() == here.run() == []


def test_a_value_is_unknown_where_a_cost_is_not_told(store: Store) -> None:
    with store.writing() as session:
        _needs(session)
    here = Rounds(store, topology_with({"negative_inventory_risk": {"within_hours": 96}}))

    (raised,) = here.run()

    assert (raised.value_at_risk, raised.currency) == (None, None)
    assert raised.messages == {"ids": [31, 32], "more": 0}
    assert "4 EA more than that. It does not suffice from order 2" in raised.message


def test_a_paused_plant_is_told_with_who_paused_it(store: Store) -> None:
    accept(store, move_event())
    with store.writing() as session:
        session.add(PlantPause(plant=PLANT, paused_at=NOON, reason="Stocktaking.", actor="otto"))
    here = Rounds(store, topology_with({"stuck_backlog": {"after_minutes": 1}}))
    here.clock.pass_time(120)

    (raised,) = here.run()

    assert "otto paused the plant: Stocktaking." in raised.message


def test_what_waits_for_a_target_is_stuck_and_what_waits_for_its_order_is_not(store: Store) -> None:
    know_items(store)
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("no way leads there", after_seconds=5)] * 3
    here, line = (
        Rounds(store, topology_with({"stuck_backlog": {"after_minutes": 10}}), clock),
        pipeline(store, {"erp": books}, clock),
    )
    away, _ = accept(store, move_event("m1"), completion("c1", order="never released"))
    for _ in range(3):
        run_once(line)
        clock.pass_time(280)

    (raised,) = here.run()

    assert raised.messages["ids"] == [away]
    assert "no way leads there" in raised.message


def test_the_name_of_a_target_that_is_waited_for_begins_as_the_rule_reads_it() -> None:
    assert target_reference("erp").startswith(stuck_backlog.TARGET)
