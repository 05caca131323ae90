"""Each difference offers what mends it: dead letters requeued, and whoever is not right adjusted by a second person."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import Refused, Transient
from app.projections.projector import project, rebuild
from app.reconcile.fixes import NotPossible
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.store.reconcile_tables import Difference, Reconciliation
from app.store.session import Store
from app.web.proposals import requeue_dead_of
from app.web.reconciliations import told_fixes
from mappings.registry import OUTBOUND, OutboundMapping
from tests.fakes import echo
from tests.flow.correcting import ADJUSTED, House, receipt
from tests.reading import states

pytestmark = pytest.mark.slow


@pytest.fixture
def house(store: Store, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(OUTBOUND, ("echo", ADJUSTED), OutboundMapping(echo))
    return House(store)


def _fixes(house: House, report: Reconciliation, one: Difference) -> list[tuple[Any, ...]]:
    return [(fix["kind"], fix["told"], fix["ids"]) for fix in told_fixes(house.line.topology, report, one)]


def test_dead_letters_are_offered_and_requeued_from_the_difference(house: House) -> None:
    house.erp.before = [Refused("target_refused", "no such place")]
    (dead,) = house.post(receipt("m1", "5"))
    report = house.reconcile({("WHEEL-10",): "0"})
    found = house.differences(report)["WHEEL-10"]
    moved: list[set[int]] = []

    def requeue(*, dry: bool) -> list[int]:
        return requeue_dead_of(house.store, moved.append, report.id, found.number, "ada", house.clock, dry=dry)

    assert _fixes(house, report, found) == [("requeue", "Requeue 1 dead letters", [dead])]
    assert (requeue(dry=True), states(house.store, dead), moved) == ([dead], ["dead"], [])
    assert requeue(dry=False) == [dead]
    house.work()

    assert (states(house.store, dead), moved) == (["posted"], [{dead}])
    assert requeue(dry=False) == []


def test_where_the_system_is_right_the_ledger_is_adjusted_to_it(house: House) -> None:
    house.post(receipt("m1", "5"))
    house.clock.pass_time(60)
    report = house.reconcile({("WHEEL-10",): "7", ("RIM-1",): "1"})
    found = house.differences(report)

    told = "Adjust the ledger by 2 EA, once a second person approves"
    assert _fixes(house, report, found["WHEEL-10"]) == [("adjust", told, [])]
    house.approve(house.propose(report, "adjust", found["WHEEL-10"].number))
    house.work()

    after = house.reconcile({("WHEEL-10",): "7", ("RIM-1",): "1"})
    assert list(house.differences(after)) == ["RIM-1"]
    assert (house.holds("erp"), house.holds("wms")) == ([], [("WHEEL-10", "2", None, None)])


def test_where_the_system_is_wrong_it_alone_is_adjusted(house: House) -> None:
    """The ledger stays as it is, also when it is built anew."""
    house.post(receipt("m1", "5"))
    house.clock.pass_time(60)
    report = house.reconcile({("WHEEL-10",): "8"}, system="wms")
    found = house.differences(report)["WHEEL-10"]

    told = "Adjust wms by -3 EA, once a second person approves"
    assert _fixes(house, report, found) == [("adjust", told, [])]
    house.approve(house.propose(report, "adjust", found.number))
    on_its_way = house.differences(house.reconcile({("WHEEL-10",): "8"}, system="wms"))["WHEEL-10"]
    house.work()

    assert [(c["cause"], c["quantity"]) for c in on_its_way.causes] == [("in_flight", "3")]
    assert on_its_way.unexplained == 0
    assert (house.holds("wms"), house.holds("erp")) == ([("WHEEL-10", "-3", None, None)], [])
    house.clock.pass_time(60)
    for _ in range(2):
        assert house.reconcile({("WHEEL-10",): "5"}, system="wms").differences == 0
        assert house.reconcile({("WHEEL-10",): "5"}).differences == 0
        rebuild(house.store, house.clock())
        assert not project(house.store, house.clock, 30.0).goes_on


def test_a_correction_that_the_system_refuses_is_a_dead_letter_that_explains_it(house: House) -> None:
    report = house.reconcile({("WHEEL-10",): "8"}, system="wms")
    house.approve(house.propose(report, "adjust"))
    house.wms.before = [Refused("target_refused", "stock is frozen")]
    house.work()

    found = house.differences(house.reconcile({("WHEEL-10",): "8"}, system="wms"))["WHEEL-10"]

    assert ([c["cause"] for c in found.causes], found.unexplained) == (["dead"], 0)


def test_a_correction_that_came_after_the_snapshot_is_timing(house: House) -> None:
    report = house.reconcile({("WHEEL-10",): "8"}, system="wms")
    house.approve(house.propose(report, "adjust"))
    house.clock.pass_time(5)
    old = house.snapshot("wms", {("WHEEL-10",): "8"})
    house.wms.before = [Transient("busy")]
    house.work()
    house.clock.pass_time(120)
    house.work()

    late = reconcile(house.store, house.line.topology, old, Level.ITEM, "ada", house.clock())

    found = house.differences(late)["WHEEL-10"]
    assert ([c["cause"] for c in found.causes], found.unexplained) == (["timing"], 0)


def test_what_the_system_cannot_take_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OUTBOUND, ("echo", ADJUSTED))
    report = house.reconcile({("WHEEL-10",): "8"}, system="wms")
    found = house.differences(report)["WHEEL-10"]

    why = f"wms (mapping echo) takes no {ADJUSTED}: correct it there by hand."
    assert _fixes(house, report, found) == [("by_hand", why, [])]
    with pytest.raises(NotPossible, match="correct it there by hand"):
        house.propose(report, "adjust")


def test_of_two_systems_the_one_that_is_not_right_is_adjusted(house: House) -> None:
    erp, wms = house.snapshot("erp", {("WHEEL-10",): "9"}), house.snapshot("wms", {("WHEEL-10",): "8"})
    topology = house.line.topology
    one = reconcile(house.store, topology, erp, Level.ITEM, "ada", house.clock(), wms)
    other = reconcile(house.store, topology, wms, Level.ITEM, "ada", house.clock(), erp)

    told = ("adjust", "Adjust wms by 1 EA, once a second person approves", [])
    for report in (one, other):
        assert _fixes(house, report, house.differences(report)["WHEEL-10"]) == [told]
    with pytest.raises(NotPossible, match="Compare erp alone"):
        house.propose(one, "take_over")
    house.clock.pass_time(60)
    house.approve(house.propose(other, "adjust"))
    house.work()

    assert (house.holds("wms"), house.holds("erp")) == ([("WHEEL-10", "1", None, None)], [])
    with pytest.raises(NotPossible, match="Nothing is as it was"):
        house.approve(house.propose(one, "adjust"))


def test_what_is_explained_is_not_adjusted(house: House) -> None:
    house.erp.before = [Refused("target_refused", "no such place")]
    house.post(receipt("m1", "5"))
    report = house.reconcile({("WHEEL-10",): "0"})

    for kind in ("take_over", "adjust"):
        with pytest.raises(NotPossible, match="its causes explain all of it"):
            house.propose(report, kind)
