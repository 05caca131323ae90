"""A difference between a system and what was reported names the messages that make it, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.dead_letters.decide import Decision, decide
from app.errors import OutcomeUnknown, Refused, Transient
from app.inbox.accept import Incoming
from app.pipeline.transform import transform_due
from app.projections.projector import project
from app.reconcile.compare import Balance
from app.reconcile.keys import Level
from app.reconcile.reports import list_differences, reconcile
from app.reconcile.snapshots import save_snapshot
from app.store.postings_tables import Posting
from app.store.reconcile_tables import Difference, Reconciliation
from app.store.session import Store
from config.topology import Route, RouteTarget
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock

AT = "2026-03-02T09:00:00Z"
Causes = dict[str, tuple[str, list[int]]]


def _move(message_id: str, amount: str, item: str = "WHEEL-10", uom: str = "EA", at: str = AT, **more: Any) -> Incoming:
    """In from outside: a receipt changes one place, which is easier to follow than a move."""
    quantity = {"value": amount, "uom": uom}
    none = {"value": "0", "uom": uom}
    data = {"event_time": at, "document_ref": {"type": "purchase_order", "id": "1"}, "item": item, **more}
    data |= {"received": quantity, "accepted": quantity, "rejected": none, "location": {"storage": "P100-ST"}}
    return incoming(message_id, "receipt.recorded.v1", data)


class House:
    """A pipeline to an ERP, and what that ERP says of itself."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.erp = store, Clock(NOON), Books()
        line = pipeline(store, {"erp": self.erp}, self.clock)
        topology = line.topology
        route = Route("receipt.recorded.v1", (RouteTarget("erp", True),))
        self.line = replace(line, topology=replace(topology, routes=(*topology.routes, route)))
        know_items(store, "WHEEL-10", "BIKE-100", "RIM-1")

    def post(self, *messages: Incoming, fails: Exception | None = None) -> list[int]:
        if fails is not None:
            self.erp.before = [fails]  # type: ignore[list-item]
        ids = accept(self.store, *messages)
        run_once(self.line)
        return ids

    def reconcile(
        self, balances: Mapping[tuple[str, ...], str], level: Level = Level.ITEM, uom: str = "EA", system: str = "erp"
    ) -> Reconciliation:
        """With what the ERP has: ``(item, storage, lot)`` or fewer of these, and how much."""
        assert not project(self.store, self.clock, 30.0).goes_on
        rows = [
            Balance("P100", *(*place, "", "")[:3], Decimal(amount), uom)  # type: ignore[misc]
            for place, amount in balances.items()
        ]
        with self.store.writing() as session:
            snapshot = save_snapshot(session, system, self.clock(), "a test", "ada", rows)
        return reconcile(self.store, self.line.topology, snapshot, level, "ada", self.clock())

    def differences(self, report: Reconciliation) -> list[Difference]:
        with self.store.reading() as session:
            return list(list_differences(session, report.id, 1_000))


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


def _causes(difference: Difference) -> Causes:
    return {one["cause"]: (one["quantity"], one["messages"]) for one in difference.causes}


def test_what_the_erp_has_as_it_was_reported_is_no_difference(house: House) -> None:
    house.post(_move("m1", "5"), _move("m2", "2", uom="BOX"))

    report = house.reconcile({("WHEEL-10",): "25"})

    assert (report.compared, report.differences, report.unexplained) == (1, 0, 0)


def test_a_dead_letter_explains_what_the_erp_lacks_and_says_how_to_mend_it(house: House) -> None:
    house.post(_move("m1", "5"))
    (dead,) = house.post(_move("m2", "40"), fails=Refused("target_refused", "no such place"))

    report = house.reconcile({("WHEEL-10",): "5"})

    (found,) = house.differences(report)
    assert (found.system_quantity, found.reported_quantity, found.unexplained) == (5, 45, 0)
    assert _causes(found) == {"dead": ("-40", [dead])}
    assert found.causes[0]["mend"] == f"Mend and requeue them: lineside dead requeue {dead}"
    assert (report.differences, report.unexplained) == (1, 0)


def test_each_part_of_a_difference_has_its_own_cause_and_messages(house: House) -> None:
    house.post(_move("m1", "5"))
    (dead,) = house.post(_move("m2", "40"), fails=Refused("target_refused", "no such place"))
    (retried,) = house.post(_move("m3", "7"), fails=Transient("busy"))
    waits, other = house.post(_move("m4", "3", item="NEW-1"), completion("c1", order="4711"))
    (on_its_way,) = accept(house.store, _move("m5", "11"))
    transform_due(house.line, "P100", 10)

    report = house.reconcile({("WHEEL-10",): "5", ("RIM-1",): "2"})

    found = {one.item: one for one in house.differences(report)}
    assert _causes(found["WHEEL-10"]) == {
        "dead": ("-40", [dead]),
        "waiting": ("-7", [retried]),
        "in_flight": ("-11", [on_its_way]),
    }
    assert _causes(found["NEW-1"]) == {"waiting": ("-3", [waits])}
    assert _causes(found["BIKE-100"]) == {"waiting": ("-4", [other])}
    assert (_causes(found["RIM-1"]), found["RIM-1"].unexplained) == ({}, 2)
    assert report.unexplained == 1


def test_a_posting_whose_outcome_is_unknown_explains_only_what_it_would(house: House) -> None:
    house.post(_move("m1", "5"))
    (unknown,) = house.post(_move("m2", "8"), fails=OutcomeUnknown("no answer"))

    lacks = house.differences(house.reconcile({("WHEEL-10",): "5"}))
    has = house.reconcile({("WHEEL-10",): "13"})
    neither = house.differences(house.reconcile({("WHEEL-10",): "6"}))

    assert _causes(lacks[0]) == {"unknown_outcome": ("-8", [unknown])}
    assert has.differences == 0
    assert (_causes(neither[0]), neither[0].unexplained) == ({}, -7)


def test_a_move_whose_outcome_is_unknown_is_lacked_at_both_of_its_ends_or_at_none(house: House) -> None:
    house.post(_move("m1", "8"))
    (unknown,) = house.post(move_event("m2"), fails=OutcomeUnknown("no answer"))
    start, end = ("WHEEL-10", "P100-ST"), ("WHEEL-10", "P100-WIP")

    lacks = house.differences(house.reconcile({start: "8"}, Level.STORAGE))
    too_much = house.differences(house.reconcile({start: "8", end: "2"}, Level.STORAGE))
    at_both_ends = house.differences(house.reconcile({start: "8", end: "7"}, Level.STORAGE))
    of_the_plant = house.differences(house.reconcile({start: "8", end: "2"}))

    assert [_causes(one) for one in lacks] == [
        {"unknown_outcome": ("2", [unknown])},
        {"unknown_outcome": ("-2", [unknown])},
    ]
    told = [(_causes(one), one.unexplained) for one in (*too_much, *at_both_ends, *of_the_plant)]
    assert told == [({}, 2), ({}, 2), ({}, 5), ({}, 2)]


def test_what_was_posted_after_the_snapshot_is_a_matter_of_timing(house: House) -> None:
    house.post(_move("m1", "5"))
    assert not project(house.store, house.clock, 30.0).goes_on
    with house.store.writing() as session:
        rows = [Balance("P100", "WHEEL-10", "", "", Decimal(5), "EA")]
        snapshot = save_snapshot(session, "erp", house.clock(), "a test", "ada", rows)
    house.clock.pass_time(60)
    (late,) = house.post(_move("m2", "4"))
    assert not project(house.store, house.clock, 30.0).goes_on

    report = reconcile(house.store, house.line.topology, snapshot, Level.ITEM, "ada", house.clock())

    (found,) = house.differences(report)
    assert (_causes(found), found.unexplained) == ({"timing": ("-4", [late])}, 0)


def test_what_happens_after_the_snapshot_is_not_compared(house: House) -> None:
    house.post(_move("m1", "5"))
    assert not project(house.store, house.clock, 30.0).goes_on
    with house.store.writing() as session:
        rows = [Balance("P100", "WHEEL-10", "", "", Decimal(5), "EA")]
        snapshot = save_snapshot(session, "erp", house.clock(), "a test", "ada", rows)
    house.clock.pass_time(3600)
    house.post(_move("m2", "4", at="2026-03-02T12:30:00Z"))
    assert not project(house.store, house.clock, 30.0).goes_on

    report = reconcile(house.store, house.line.topology, snapshot, Level.ITEM, "ada", house.clock())

    assert report.differences == 0


def test_what_is_not_posted_to_the_erp_at_all_is_told_where_it_explains_something(house: House) -> None:
    house.post(_move("m1", "5"))
    data = {"event_time": AT, "item": "WHEEL-10", "delta": {"value": "-2", "uom": "EA"}, "reason": "broken"}
    (adjusted,) = house.post(incoming("a1", "inventory.adjusted.v1", data))

    lacks = house.differences(house.reconcile({("WHEEL-10",): "5"}))
    entered_there_by_hand = house.reconcile({("WHEEL-10",): "3"})
    other = house.differences(house.reconcile({("WHEEL-10",): "1"}))

    assert _causes(lacks[0]) == {"not_routed": ("2", [adjusted])}
    assert entered_there_by_hand.differences == 0
    assert (_causes(other[0]), other[0].unexplained) == ({}, -2)


def test_a_unit_that_the_item_does_not_have_is_a_difference_of_its_own(house: House) -> None:
    house.post(_move("m1", "5"))

    in_boxes = house.reconcile({("WHEEL-10",): "0.5"}, uom="BOX")
    strange = house.differences(house.reconcile({("WHEEL-10",): "5"}, uom="PAL"))
    wrong = house.differences(house.reconcile({("WHEEL-10",): "7"}, uom="PAL"))

    assert in_boxes.differences == 0
    assert _causes(strange[0]) == {"unit_mismatch": ("0", [])}
    assert _causes(wrong[0]) == {"unit_mismatch": ("2", [])}


def test_what_lies_in_another_lot_or_place_than_was_reported_is_a_mismatch_and_not_a_loss(house: House) -> None:
    house.post(_move("m1", "5", lot="L1"), _move("m2", "3", lot="L2"), _move("m3", "9", item="RIM-1"))

    report = house.reconcile(
        {
            ("WHEEL-10", "P100-ST", "L1"): "4",
            ("WHEEL-10", "P100-ST", "L2"): "4",
            ("RIM-1", "P100-ST"): "6",
            ("RIM-1", "P100-WIP"): "3",
        },
        Level.LOT,
    )
    by_item = house.reconcile({("WHEEL-10", "P100-ST", "L1"): "8", ("RIM-1", "P100-WIP"): "9"})

    told = {(one.item, one.storage, one.lot): _causes(one) for one in house.differences(report)}
    assert told == {
        ("RIM-1", "P100-ST", ""): {"storage_mismatch": ("-3", [])},
        ("RIM-1", "P100-WIP", ""): {"storage_mismatch": ("3", [])},
        ("WHEEL-10", "P100-ST", "L1"): {"lot_mismatch": ("-1", [])},
        ("WHEEL-10", "P100-ST", "L2"): {"lot_mismatch": ("1", [])},
    }
    assert by_item.differences == 0


def test_a_source_that_was_asked_itself_has_what_it_reported_whatever_became_of_it(house: House) -> None:
    house.post(_move("m1", "5"))
    house.post(_move("m2", "40"), fails=Refused("target_refused", "no such place"))

    assert house.reconcile({("WHEEL-10",): "45"}, system="mes").differences == 0


def test_messages_whose_effect_nobody_can_tell_are_named(house: House) -> None:
    (raw,) = accept(house.store, _move("m1", "5"), at=NOON - timedelta(minutes=1))

    report = house.reconcile({})

    assert report.notes == {"unread": [raw], "unread_count": 1, "is_whole": True}


def test_a_document_that_the_erp_has_twice_is_named_only_where_a_person_had_it_sent_again(house: House) -> None:
    house.post(_move("m1", "8"))
    (unknown,) = house.post(_move("m2", "8"), fails=OutcomeUnknown("no answer"))
    without_reason = house.differences(house.reconcile({("WHEEL-10",): "24"}))
    with house.store.writing() as session:
        posting = session.execute(select(Posting.id).where(Posting.message_id == unknown)).scalar_one()
        decide(session, posting, Decision("not_posted", "I looked"), "ada", house.clock())
    house.clock.pass_time(600)
    run_once(house.line)

    found = house.differences(house.reconcile({("WHEEL-10",): "24"}))

    assert (_causes(without_reason[0]), without_reason[0].unexplained) == ({}, 8)
    assert _causes(found[0]) == {"duplicate": ("8", [unknown])}
