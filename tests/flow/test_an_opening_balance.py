"""A first snapshot is taken over as counted, by two people, once, and only as far as it is still as it was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.audit.trail import read_trail
from app.projections.projector import project, rebuild
from app.reconcile import approval
from app.reconcile import proposals as proposing
from app.reconcile.fixes import NotPossible
from app.reconcile.keys import Level
from app.reconcile.proposals import list_proposals, reject
from app.store.ledger_tables import Movement, Stock
from app.store.messages_tables import Message
from app.store.session import Store
from mappings.registry import OUTBOUND, OutboundMapping
from tests.fakes import Killed, echo
from tests.flow.correcting import ADJUSTED, House, receipt

pytestmark = pytest.mark.slow

OPENING = {("WHEEL-10", "ST", "L1"): "12", ("WHEEL-10", "ST", "L2"): "3.5", ("RIM-1", "WIP"): "40"}


@pytest.fixture
def house(store: Store, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(OUTBOUND, ("echo", ADJUSTED), OutboundMapping(echo))
    return House(store)


def _stock(store: Store) -> dict[tuple[str, str, str], str]:
    with store.reading() as session:
        rows = session.scalars(select(Stock).where(Stock.quantity != 0))
        return {(row.item, row.storage, row.lot): str(row.quantity.normalize()) for row in rows}


def _own_messages(store: Store) -> list[Message]:
    with store.reading() as session:
        return list(session.scalars(select(Message).where(Message.type == ADJUSTED).order_by(Message.id)))


def test_what_is_taken_over_stands_in_the_ledger_and_is_no_difference_any_more(house: House) -> None:
    report = house.reconcile(OPENING, Level.LOT)
    assert (report.differences, report.unexplained) == (3, 3)

    done = house.approve(house.propose(report))
    house.work()

    assert done.outcome["messages"] == 3
    assert _stock(house.store) == {
        ("WHEEL-10", "ST", "L1"): "12",
        ("WHEEL-10", "ST", "L2"): "3.5",
        ("RIM-1", "WIP", ""): "4E+1",
    }
    house.clock.pass_time(60)
    assert house.reconcile(OPENING, Level.LOT).differences == 0
    assert house.reconcile({("WHEEL-10",): "15.5", ("RIM-1",): "40"}).differences == 0
    with house.store.reading() as session:
        assert set(session.scalars(select(Movement.document))) == {
            f"reconciliation:{report.id}:{number}" for number in (1, 2, 3)
        }


def test_who_said_it_is_not_told_it_and_the_others_are(house: House) -> None:
    house.approve(house.propose(house.reconcile(OPENING, Level.LOT)))
    house.work()

    assert house.holds("erp") == []
    assert sorted(house.holds("wms")) == [
        ("RIM-1", "40", "WIP", None),
        ("WHEEL-10", "12", "ST", "L1"),
        ("WHEEL-10", "3.5", "ST", "L2"),
    ]
    assert {message.source for message in _own_messages(house.store)} == {"lineside/erp"}


def test_what_messages_explain_is_not_taken_over(house: House) -> None:
    house.post(receipt("m1", "5", lot="L1"))
    house.clock.pass_time(60)

    report = house.reconcile({**OPENING, ("WHEEL-10", "ST", "L1"): "17"}, Level.LOT)
    house.approve(house.propose(report))
    house.work()

    assert _stock(house.store)["WHEEL-10", "ST", "L1"] == "17"


@pytest.mark.parametrize("who", ["ada", "cli:ada", "Ada"])
def test_who_proposed_it_may_not_approve_it(house: House, who: str) -> None:
    proposal = house.propose(house.reconcile(OPENING))

    with pytest.raises(NotPossible, match="ada proposed it: another person"):
        house.approve(proposal, who)

    assert _own_messages(house.store) == []


def test_a_second_approval_does_nothing(house: House) -> None:
    report = house.reconcile(OPENING, Level.LOT)
    proposal = house.propose(report)
    house.approve(proposal)

    with pytest.raises(NotPossible, match=f"Proposal {proposal.id} is approved by bob"):
        house.approve(proposal, "eve")
    with pytest.raises(NotPossible, match="approved already, as proposal"):
        house.propose(report)

    assert len(_own_messages(house.store)) == 3


@pytest.mark.parametrize("worked", [False, True])
def test_a_second_report_of_the_same_takes_nothing_over_twice(house: House, worked: bool) -> None:
    first, second = house.reconcile(OPENING, Level.LOT), house.reconcile(OPENING, Level.LOT)
    house.approve(house.propose(first))
    if worked:
        house.work()

    with pytest.raises(NotPossible, match="Nothing is as it was"):
        house.approve(house.propose(second))

    assert len(_own_messages(house.store)) == 3


def test_a_report_of_too_many_lines_is_taken_over_in_parts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "LINES_MOST", 2)

    for taken, is_whole in ((2, False), (1, True)):
        proposal = house.propose(house.reconcile(OPENING, Level.LOT))
        assert (proposal.plan["lines"], proposal.plan["is_whole"]) == (taken, is_whole)
        house.approve(proposal)
        house.work()
        house.clock.pass_time(60)

    assert house.reconcile(OPENING, Level.LOT).differences == 0


def test_what_a_later_report_took_over_overtakes_an_earlier_one(house: House) -> None:
    first = house.propose(house.reconcile(OPENING, Level.LOT))
    house.clock.pass_time(60)
    later = house.propose(house.reconcile({("WHEEL-10",): "15.5", ("RIM-1",): "40"}))
    house.approve(later)
    house.work()

    with pytest.raises(NotPossible, match=f"Proposal {later.id}, of a later comparison, was approved"):
        house.approve(first)


def test_of_two_who_approve_at_once_one_does(house: House) -> None:
    proposals = [house.propose(house.reconcile(OPENING, Level.LOT)) for _ in range(2)]
    together = threading.Barrier(4)

    def act(number: int) -> str:
        together.wait(20)
        try:
            house.approve(proposals[number % 2], f"person {number}")
        except NotPossible as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(act, range(4)))

    assert ended.count("done") == 1, ended
    house.work()
    assert len(_own_messages(house.store)) == 3
    assert _stock(house.store)["WHEEL-10", "ST", "L1"] == "12"


def test_what_moved_since_is_left_out_and_told(house: House) -> None:
    proposal = house.propose(house.reconcile(OPENING, Level.LOT))
    house.post(receipt("late", "2", lot="L1"))  # it happened before the snapshot, and nobody had said so

    done = house.approve(proposal)
    house.work()

    assert (done.outcome["messages"], done.outcome["left_out"]) == (2, 1)
    (left,) = done.outcome["first_left_out"]
    assert left["why"].endswith("EA of it is unexplained by now, and was 12 EA")
    assert _stock(house.store)["WHEEL-10", "ST", "L1"] == "2"


def test_a_kill_between_approval_and_inbox_leaves_neither(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = house.propose(house.reconcile(OPENING, Level.LOT))

    def killed(*_: Any) -> None:
        raise Killed

    for place in ("accept_messages", "record"):
        with monkeypatch.context() as patch:
            patch.setattr(approval, place, killed)
            with pytest.raises(Killed):
                house.approve(proposal)
        with house.store.reading() as session:
            assert [one.state for one in list_proposals(session, 10)] == ["proposed"]
        assert _own_messages(house.store) == []

    assert house.approve(proposal).outcome["messages"] == 3


def test_what_nobody_decides_expires(house: House) -> None:
    report = house.reconcile(OPENING, Level.LOT)
    proposal = house.propose(report)
    house.clock.pass_time(timedelta(days=8).total_seconds())

    with pytest.raises(NotPossible, match="is expired"):
        house.approve(proposal)
    again = house.propose(report)

    with house.store.reading() as session:
        assert [(one.id, one.state) for one in list_proposals(session, 10)] == [
            (again.id, "proposed"),
            (proposal.id, "expired"),
        ]


def test_what_was_turned_down_may_be_proposed_again(house: House) -> None:
    report = house.reconcile(OPENING, Level.LOT)
    proposal = house.propose(report)
    with house.store.writing() as session:
        reject(session, proposal.id, "count again", "bob", house.clock())

    with pytest.raises(NotPossible, match="is rejected by bob"):
        house.approve(proposal, "eve")

    assert house.approve(house.propose(report)).outcome["messages"] == 3


def test_every_act_is_in_the_trail(house: House) -> None:
    proposal = house.propose(house.reconcile(OPENING, Level.LOT))
    house.approve(proposal)

    with house.store.reading() as session:
        trail = read_trail(session, 10)
    assert [(one.actor, one.action, one.subject) for one in trail] == [
        ("bob", "proposal.approved", f"proposal:{proposal.id}"),
        ("ada", "proposal.proposed", f"proposal:{proposal.id}"),
    ]
    assert trail[0].detail == {"messages": 3, "repeated": 0, "left_out": 0, "reason": None}


def test_the_ledger_built_anew_has_what_was_taken_over(house: House) -> None:
    house.approve(house.propose(house.reconcile(OPENING, Level.LOT)))
    house.work()
    before = _stock(house.store)

    rebuild(house.store, house.clock())
    assert not project(house.store, house.clock, 30.0).goes_on

    assert _stock(house.store) == before
