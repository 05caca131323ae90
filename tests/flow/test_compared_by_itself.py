"""Systems are compared by the clock, one at a time, and a person is told where more is unexplained, or none can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.adapters.base import Document
from app.business_exceptions.lookup import ExceptionFilter, list_exceptions
from app.errors import Transient
from app.reconcile import turns as turning
from app.reconcile.schedule import next_due
from app.reconcile.turns import Turns
from app.store.leases import take_lease
from app.store.reconcile_tables import Difference, Proposal, Reconciliation, Snapshot, SnapshotRow
from app.store.session import Store
from config.reconciling import Reconciling
from config.topology import Topology
from tests.factories import NOON, demo_topology
from tests.fakes import Books, Clock, Killed
from tests.flow.correcting import House

HOURLY = Reconciling(every_minutes=60, keep=3)


class Telling(Books):
    """A target that says what it has, or fails."""

    def __init__(self, **stock: str) -> None:
        super().__init__()
        self.stock, self.fails = stock, list[BaseException]()

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        if self.fails:
            raise self.fails.pop(0)
        for item, amount in self.stock.items():
            yield {"plant": "P100", "item": item, "quantity": {"value": amount, "uom": "EA"}}


def _topology(**blocks: Reconciling) -> Topology:
    topology = demo_topology(targets=("erp", "wms"))
    return replace(
        topology, targets={code: replace(one, reconcile=blocks.get(code)) for code, one in topology.targets.items()}
    )


class Hall:
    def __init__(self, store: Store, **blocks: Reconciling) -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.wms = Telling(A="1"), Telling(A="1")
        books = {"erp": self.erp, "wms": self.wms}
        self.turns = Turns(store, _topology(**(blocks or {"erp": HOURLY})), books.__getitem__, self.clock)
        assert self.turns.due() is None  # it begins to count

    def run(self, minutes: float = 61) -> list[str]:
        """Let time pass, and do all that is due then."""
        self.clock.pass_time(minutes * 60)
        done: list[str] = []
        while (due := self.turns.due()) is not None and len(done) < 10:
            stage, system = due
            done.append(f"{stage} {system}")
            if stage == "read":
                self.turns.read(system)
            else:
                self.turns.compare()
        return done

    def rows(self, table: Any) -> list[Any]:
        with self.store.reading() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def told(self) -> list[tuple[str, str]]:
        """Of what is still open."""
        with self.store.reading() as session:
            found = list_exceptions(session, ExceptionFilter(states=["open"]), 10, None).exceptions
        return [(one.rule, one.message) for one in found]


def test_a_system_is_read_and_compared_when_its_time_has_come_and_not_before(store: Store) -> None:
    hall = Hall(store)

    assert hall.run(59) == []
    assert hall.run(2) == ["read erp", "compare erp"]
    assert hall.run(1) == []
    assert hall.run(61) == ["read erp", "compare erp"]
    assert [(one.system, one.against, one.actor) for one in hall.rows(Reconciliation)] == [
        ("erp", None, "lineside")
    ] * 2


def test_two_systems_are_read_together_and_compared_with_each_other(store: Store) -> None:
    hall = Hall(store, erp=replace(HOURLY, against="wms", level="storage"))
    hall.wms.stock["A"] = "3"

    assert hall.run() == ["read erp", "compare erp"]

    (report,) = hall.rows(Reconciliation)
    assert (report.system, report.against, report.level, report.unexplained) == ("erp", "wms", "storage", 1)
    assert [(one.system, one.awaits) for one in hall.rows(Snapshot)] == [("erp", None), ("wms", None)]


def test_one_is_under_way_at_a_time(store: Store) -> None:
    hall = Hall(store)
    hall.clock.pass_time(3_700)
    with store.writing() as session:
        take_lease(session, turning.LEASE, "another", hall.clock(), 600)

    assert (hall.turns.due(), hall.turns.read("erp"), hall.turns.compare()) == (None, False, None)
    hall.clock.pass_time(601)
    assert hall.turns.due() == ("read", "erp")


def test_what_a_lost_worker_began_is_begun_anew_and_given_up_in_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall(store)
    hall.clock.pass_time(3_700)
    hall.turns.read("erp")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(turning, "reconcile", killed)
        for _ in range(turning.BEGUN_MOST):
            with pytest.raises(Killed):
                hall.turns.compare()
    assert hall.turns.compare() is None

    assert (hall.turns.due(), hall.rows(Reconciliation)) == (None, [])
    ((rule, message),) = hall.told()
    assert (rule, "was begun 3 times and never ended" in message) == ("reconciliation_failed", True)


def test_a_system_that_does_not_answer_is_told_and_tried_again_soon(store: Store) -> None:
    hall = Hall(store)
    hall.erp.fails = [Transient("no answer"), Transient("no answer")]

    assert hall.run() == ["read erp"]
    ((rule, message),) = hall.told()
    assert (rule, "of erp could not be read to be compared: no answer" in message) == ("reconciliation_failed", True)
    assert hall.run(4) == []
    assert hall.run(2) == ["read erp"]
    assert hall.run(11) == ["read erp", "compare erp"]
    assert [rule for rule, _ in hall.told()] == ["stock_unexplained"]


def test_what_is_unexplained_is_told_where_it_grew_and_closed_where_it_is_gone(store: Store) -> None:
    hall = Hall(store)
    hall.run()
    ((rule, first),) = hall.told()
    assert (rule, "at P100 A (1)." in first) == ("stock_unexplained", True)

    hall.run()
    assert [message for _, message in hall.told()] == [first]
    hall.erp.stock |= {"B": "-2"}
    hall.run()
    ((_, second),) = hall.told()
    assert "at P100 B (-2)." in second
    hall.erp.stock = {"A": "0"}
    hall.run()
    assert hall.told() == []


def test_the_newest_reports_are_kept_and_those_that_somebody_acted_on(store: Store) -> None:
    hall = Hall(store)
    hall.run()
    house = House(store)
    house.clock.now = hall.clock()
    kept = house.propose(hall.rows(Reconciliation)[0])
    for _ in range(6):
        hall.run()

    reports = [one.id for one in hall.rows(Reconciliation)]
    assert reports == [kept.reconciliation_id, *range(5, 8)]
    snapshots = {one.snapshot_id for one in hall.rows(Reconciliation)}
    assert {one.id for one in hall.rows(Snapshot)} == snapshots
    with store.reading() as session:
        assert set(session.scalars(select(SnapshotRow.snapshot_id))) == snapshots
        assert set(session.scalars(select(Difference.reconciliation_id))) == set(reports)
    assert [one.id for one in hall.rows(Proposal)] == [kept.id]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ((2026, 3, 2, 4, 29), (2026, 3, 2, 4, 30)),  # 05:30 in Berlin
        ((2026, 3, 2, 4, 30), (2026, 3, 2, 20, 0)),  # and 21:00
        ((2026, 3, 2, 20, 1), (2026, 3, 3, 4, 30)),
        ((2026, 3, 28, 20, 1), (2026, 3, 29, 3, 30)),  # summer begins that night
    ],
)
def test_times_are_those_of_the_plant_s_clock(now: tuple[int, ...], due: tuple[int, ...]) -> None:
    block = Reconciling(at=(time(5, 30), time(21, 0)), plant="P100")
    at = [datetime(*one, tzinfo=UTC) for one in (now, due)]  # type: ignore[arg-type,misc]

    assert next_due(_topology(), block, at[0]) == at[1]


def test_a_time_that_is_brought_forward_counts_at_once(store: Store) -> None:
    hall = Hall(store, erp=Reconciling(every_minutes=44_640))
    hall.turns = replace(hall.turns, topology=_topology(erp=HOURLY))

    assert hall.turns.due() is None
    assert hall.run() == ["read erp", "compare erp"]
    assert hall.clock() - NOON < timedelta(hours=2)
