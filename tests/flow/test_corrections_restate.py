"""A correction takes the place of the message that it names: in targets and in the picture, once, in whatever order
they come, whoever is killed meanwhile."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.errors import Refused, Transient
from app.inbox import restatements
from app.inbox.accept import Incoming
from app.inbox.restatements import links_of
from app.projections.projector import project, rebuild
from app.store.ledger_tables import Stock
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock, Killed
from tests.flow.reversing import KillingStore
from tests.reading import message, states

pytestmark = pytest.mark.slow


def corrected(original: Incoming, of: str) -> Incoming:
    """The same message as a correction of another."""
    data = json.loads(original.body) | {"correction_of": of}
    body = json.dumps(data).encode()
    return replace(original, body=body, digest=original.source_message_id.ljust(64, "0"))


def made(message_id: str, quantity: str, of: str | None = None, **fields: Any) -> Incoming:
    reported = completion(message_id, quantity=quantity, **fields)
    return reported if of is None else corrected(reported, of)


class Plant:
    """An ERP and a WMS that take completions of order 1000, which is released."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.wms = Books(), Books()
        self.line = pipeline(store, {"erp": self.erp, "wms": self.wms}, self.clock)
        know_items(store)
        self.happened(release())

    def happened(self, *messages: Incoming, rounds: int = 4) -> list[int]:
        ids = accept(self.store, *messages, at=self.clock())
        self.work(rounds)
        return ids

    def work(self, rounds: int = 4) -> None:
        for _ in range(rounds):
            with suppress(Killed):
                run_once(self.line)
            self.clock.pass_time(10)

    def pieces(self) -> list[str]:
        """What each target has of completions, less what was reversed, in the order of posting."""
        return [self._net(books) for books in (self.erp, self.wms)]

    def _net(self, books: Books) -> str:
        undone = {document["reverses"] for document in books.documents if "reverses" in document}
        assert len(undone) == len([one for one in books.documents if "reverses" in one]), "reversed twice"
        left = [
            document["data"]["outputs"][0]["quantity"]["value"]
            for number, document in enumerate(books.documents, start=1)
            if document.get("type") == "production.completed.v1" and f"doc-{number}" not in undone
        ]
        return "+".join(left)

    def stock(self) -> str:
        assert not project(self.store, self.clock, 30.0).goes_on
        with self.store.reading() as session:
            rows = session.execute(select(Stock.quantity).where(Stock.item == "BIKE-100")).scalars()
            return f"{sum(rows, Decimal(0)).normalize():f}"

    def reason(self, message_id: int) -> str:
        found = message(self.store, message_id)
        return f"{found.reason_code}: {found.reason}"


@pytest.fixture
def both(store: Store) -> Plant:
    """On either database."""
    return Plant(store)


@pytest.fixture
def plant(sqlite_store: Store) -> Plant:
    return Plant(sqlite_store)


def test_a_correction_of_a_posted_message_takes_its_place_everywhere(both: Plant) -> None:
    (wrong,) = both.happened(made("c1", "40"))
    assert both.stock() == "40"

    (right,) = both.happened(made("c2", "4", of="c1"))

    assert states(both.store, wrong, right) == ["compensated", "posted"]
    assert both.pieces() == ["4", "4"]
    assert both.stock() == "4"
    with both.store.reading() as session:
        assert list(links_of(session, message(both.store, right)).corrects) == [wrong]
        assert list(links_of(session, message(both.store, wrong)).corrected_by) == [right]


def test_the_picture_built_anew_holds_the_correction_alone(plant: Plant) -> None:
    plant.happened(made("c1", "40"))
    plant.happened(made("c2", "4", of="c1"))
    before = plant.stock()

    rebuild(plant.store, NOON)

    assert (before, plant.stock()) == ("4", "4")


def test_a_correction_that_comes_first_waits_for_its_original_by_name(both: Plant) -> None:
    (right,) = both.happened(made("c2", "4", of="c1"))
    waits = message(both.store, right)
    assert (waits.state, waits.waiting_for) == ("waiting", "message:mes:c1")
    assert waits.reason == "Waits for message 'c1' of source mes, which it corrects."

    (wrong,) = both.happened(made("c1", "40"))

    assert states(both.store, wrong, right) == ["compensated", "posted"]
    assert (both.pieces(), both.stock()) == (["4", "4"], "4")


def test_a_correction_without_its_original_is_dead_in_the_end_and_names_it(plant: Plant) -> None:
    (right,) = plant.happened(made("c2", "4", of="never"))

    plant.clock.pass_time(4_000)
    plant.work(1)

    assert plant.reason(right).startswith("waited_too_long: Waits for message 'never' of source mes")
    assert plant.pieces() == ["", ""]


def test_each_correction_of_a_chain_takes_the_place_of_the_one_before(plant: Plant) -> None:
    ids = plant.happened(made("c1", "40"))
    ids += plant.happened(made("c2", "4", of="c1"))
    ids += plant.happened(made("c3", "5", of="c2"))

    assert states(plant.store, *ids) == ["compensated", "compensated", "posted"]
    assert (plant.pieces(), plant.stock()) == (["5", "5"], "5")


@pytest.mark.parametrize("order", [("c3", "c2", "c1"), ("c2", "c3", "c1"), ("c3", "c1", "c2")])
def test_a_chain_ends_the_same_in_every_order_of_arrival(plant: Plant, order: tuple[str, ...]) -> None:
    told = {"c1": made("c1", "40"), "c2": made("c2", "4", of="c1"), "c3": made("c3", "5", of="c2")}

    for name in order:
        plant.happened(told[name], rounds=2)
    plant.work(8)

    assert (plant.pieces(), plant.stock()) == (["5", "5"], "5")


def test_a_second_correction_of_the_same_message_takes_the_place_of_the_first(plant: Plant) -> None:
    ids = plant.happened(made("c1", "40"))
    ids += plant.happened(made("c2", "4", of="c1"))
    ids += plant.happened(made("c3", "5", of="c1"))

    assert states(plant.store, *ids) == ["compensated", "compensated", "posted"]
    assert (plant.pieces(), plant.stock()) == (["5", "5"], "5")


def test_of_two_corrections_that_arrive_together_the_later_one_counts(both: Plant) -> None:
    ids = both.happened(made("c1", "40"), made("c2", "4", of="c1"), made("c3", "5", of="c1"), rounds=8)

    assert states(both.store, *ids) == ["compensated", "compensated", "posted"]
    assert (both.pieces(), both.stock()) == (["5", "5"], "5")


def test_a_dead_original_ends_without_a_person_and_says_which_message_took_its_place(plant: Plant) -> None:
    (wrong,) = plant.happened(made("c1", "40", uom="BARREL"))
    assert states(plant.store, wrong) == ["dead"]

    (right,) = plant.happened(made("c2", "4", of="c1"))

    assert states(plant.store, wrong, right) == ["compensated", "posted"]
    assert (plant.pieces(), plant.stock()) == (["4", "4"], "4")


def test_an_original_that_waits_for_a_wrong_order_ends_when_its_correction_comes(both: Plant) -> None:
    (wrong,) = both.happened(made("c1", "4", order="9999"))
    assert states(both.store, wrong) == ["waiting"]

    (right,) = both.happened(made("c2", "4", of="c1"))
    (late,) = both.happened(release("r9", order="9999"))

    assert states(both.store, wrong, right, late) == ["compensated", "posted", "posted"]
    assert both.pieces() == ["4", "4"]


def test_an_original_that_was_posted_in_part_is_reversed_where_it_was(plant: Plant) -> None:
    plant.wms.before = [Transient("busy")] * 3
    (wrong,) = plant.happened(made("c1", "40"), rounds=1)
    assert (states(plant.store, wrong), plant.pieces()) == (["waiting"], ["40", ""])

    (right,) = plant.happened(made("c2", "4", of="c1"), rounds=8)

    assert states(plant.store, wrong, right) == ["compensated", "posted"]
    assert (plant.pieces(), plant.stock()) == (["4", "4"], "4")


def test_where_the_reversal_is_refused_the_original_stands_and_the_correction_is_dead_with_the_reason(
    plant: Plant,
) -> None:
    (wrong,) = plant.happened(made("c1", "40"))
    plant.wms.before_reversal = [Refused("period_closed", "The period is closed.")]

    (right,) = plant.happened(made("c2", "4", of="c1"), rounds=8)

    assert states(plant.store, wrong, right) == ["dead", "dead"]
    assert plant.reason(right).startswith(f"correction_refused: Message {wrong}, which it corrects, could not be rever")
    assert "The period is closed." in plant.reason(right)
    assert plant.stock() == "40"


def test_a_correction_that_cannot_be_posted_undoes_nothing(plant: Plant) -> None:
    (wrong,) = plant.happened(made("c1", "40"))

    (right,) = plant.happened(made("c2", "4", of="c1", uom="BARREL"))

    assert states(plant.store, wrong, right) == ["posted", "dead"]
    assert (plant.pieces(), plant.stock()) == (["40", "40"], "40")


def test_a_correction_may_name_another_order_and_lot_than_its_original(plant: Plant) -> None:
    plant.happened(release("r2", order="2000"))
    (wrong,) = plant.happened(made("c1", "4", order="2000"))

    (right,) = plant.happened(made("c2", "4", of="c1"))

    assert states(plant.store, wrong, right) == ["compensated", "posted"]
    assert plant.pieces() == ["4", "4"]


def test_a_message_that_corrects_itself_is_told_so(plant: Plant) -> None:
    (mine,) = plant.happened(made("c1", "4", of="c1"))

    assert plant.reason(mine).startswith("correction_invalid: It names itself")


@pytest.mark.parametrize("together", [True, False])
def test_of_messages_that_correct_each_other_one_is_posted(plant: Plant, together: bool) -> None:
    first, second = made("c1", "4", of="c2"), made("c2", "4", of="c1")

    ids = plant.happened(first, second) if together else plant.happened(first) + plant.happened(second)
    plant.work(8)

    assert sorted(states(plant.store, *ids)) == ["compensated", "posted"]
    assert plant.pieces() == ["4", "4"]


def test_only_a_message_of_the_same_source_is_corrected(plant: Plant) -> None:
    (other,) = plant.happened(replace(made("c1", "40"), source="wms2"))

    (right,) = plant.happened(made("c2", "4", of="c1"))

    assert states(plant.store, right) == ["waiting"]
    assert message(plant.store, other).state != "compensated"


def test_a_movement_is_corrected_as_a_report_is(plant: Plant) -> None:
    (wrong,) = plant.happened(move_event("m1", lot="A"))

    (right,) = plant.happened(corrected(move_event("m2", lot="B"), "m1"))

    assert states(plant.store, wrong, right) == ["compensated", "posted"]


@pytest.mark.parametrize("kill", range(1, 13))
def test_whoever_is_killed_meanwhile_a_correction_is_posted_once_and_its_original_reversed_once(
    sqlite_store: Store, kill: int
) -> None:
    plant = Plant(sqlite_store)
    (wrong,) = plant.happened(made("c1", "40"))
    plant.line = replace(plant.line, store=KillingStore(sqlite_store, kill))

    (right,) = plant.happened(made("c2", "4", of="c1"), rounds=0)
    for _ in range(8):
        plant.work(1)
        plant.clock.pass_time(120)

    assert states(plant.store, wrong, right) == ["compensated", "posted"]
    assert (plant.pieces(), plant.stock()) == (["4", "4"], "4")


def test_a_family_has_a_bound(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restatements, "FAMILY_MOST", 2)
    ids = plant.happened(made("c1", "1"))
    for number in range(2, 5):
        ids += plant.happened(made(f"c{number}", "1", of=f"c{number - 1}"))

    assert states(plant.store, *ids) == ["compensated", "compensated", "posted", "dead"]
    assert plant.reason(ids[-1]).startswith("correction_too_long: More than")
