"""A purchase order's lines say what has come of them and what is still open, whatever came first."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.dead_letters.reversal import reverse
from app.projections.projector import rebuild
from app.store.logistics_tables import PurchaseOrder
from app.store.session import Store
from tests.factories import NOON, know_items, pipeline, run_once
from tests.facts import enter_all, facts_told, item_sums, ordered, post, purchase_lines, received
from tests.fakes import Books

pytestmark = pytest.mark.slow

LATER = "2026-03-02T10:00:00Z"


@pytest.fixture(autouse=True)
def _items(store: Store) -> None:
    know_items(store)


def test_what_was_rejected_is_still_owed(store: Store) -> None:
    post(store, ordered("p1", ("1", "WHEEL-10", "10"), ("2", "BIKE-100", "3")), received("g1", "4", rejected="1"))

    assert purchase_lines(store) == {("45", "1"): ("10", "4", "1", "7"), ("45", "2"): ("3", "0", "0", "3")}
    assert item_sums(store, "on_order") == {("P100", "WHEEL-10"): "7", ("P100", "BIKE-100"): "3"}


def test_a_receipt_in_another_unit_counts_in_the_base_unit_and_too_much_leaves_nothing_open(store: Store) -> None:
    post(store, ordered("p1", ("1", "WHEEL-10", "10")), received("g1", "2", uom="BOX"))

    assert purchase_lines(store) == {("45", "1"): ("10", "20", "0", "0")}
    assert item_sums(store, "on_order") == {}
    with store.reading() as session:
        assert not session.execute(select(PurchaseOrder.is_open)).scalar_one()


def test_a_receipt_without_a_line_counts_for_the_only_line_of_its_item(store: Store) -> None:
    two = ordered("p2", ("1", "BIKE-100", "3"), ("2", "BIKE-100", "3"), code="46")
    post(store, ordered("p1", ("1", "WHEEL-10", "10"), ("2", "BIKE-100", "3")), two)

    post(store, received("g1", "4", None), received("g2", "1", None, code="46", item="BIKE-100"))

    lines = purchase_lines(store)
    assert lines["45", "1"] == ("10", "4", "0", "6")
    assert [lines["46", line][1] for line in ("1", "2")] == ["0", "0"]  # which of the two it is for is not known


def test_a_receipt_that_names_a_line_of_another_item_counts_for_none(store: Store) -> None:
    post(store, ordered("p1", ("1", "WHEEL-10", "10")), received("g1", "4", "1", item="BIKE-100"))

    assert purchase_lines(store) == {("45", "1"): ("10", "0", "0", "10")}


def test_a_receipt_before_its_order_is_placed_counts_once_it_is(store: Store) -> None:
    post(store, received("g1", "4"))
    with store.reading() as session:
        early = session.execute(select(PurchaseOrder.message_id, PurchaseOrder.plant)).one()

    post(store, ordered("p1", ("1", "WHEEL-10", "10")))

    assert tuple(early) == (None, "P100")
    assert purchase_lines(store) == {("45", "1"): ("10", "4", "0", "6")}


def test_an_order_that_is_sent_again_replaces_its_lines_and_an_older_one_changes_nothing(store: Store) -> None:
    post(store, ordered("p1", ("1", "WHEEL-10", "10")), received("g1", "4"))

    post(store, ordered("p2", ("1", "WHEEL-10", "6"), ("3", "BIKE-100", "1"), at=LATER))
    post(store, ordered("p0", ("1", "WHEEL-10", "99"), at="2026-03-01T10:00:00Z"))

    assert purchase_lines(store) == {("45", "1"): ("6", "4", "0", "2"), ("45", "3"): ("1", "0", "0", "1")}
    assert item_sums(store, "on_order") == {("P100", "WHEEL-10"): "2", ("P100", "BIKE-100"): "1"}


def test_what_is_reversed_counts_no_more_and_the_order_before_it_stands_again(store: Store) -> None:
    post(store, ordered("p1", ("1", "WHEEL-10", "10")))
    later, came = post(store, ordered("p2", ("1", "WHEEL-10", "6"), at=LATER), received("g1", "4"))
    line = pipeline(store, {"erp": Books()})

    with store.writing() as session:
        for message in (later, came):
            reverse(session, message, "a mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    enter_all(store)

    assert purchase_lines(store) == {("45", "1"): ("10", "0", "0", "10")}
    assert item_sums(store, "on_order") == {("P100", "WHEEL-10"): "10"}


def test_built_anew_it_says_the_same(store: Store) -> None:
    post(store, received("g1", "4"), ordered("p1", ("1", "WHEEL-10", "10"), ("2", "BIKE-100", "3")))
    post(store, ordered("p2", ("1", "WHEEL-10", "8"), at=LATER), received("g2", "1", None), received("g3", "1", "7"))
    before = facts_told(store)

    rebuild(store, NOON)
    enter_all(store)

    assert facts_told(store) == before
