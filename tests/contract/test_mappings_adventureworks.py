"""The tables of AdventureWorks: every amount is kept, however an export writes it, and no time is made up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.context import Event, InboundContext, MappingError, NothingToDo, PlantFacts
from mappings.registry import INBOUND

PLANT = PlantFacts("P300", "Paint shop", "America/Detroit")
ORDER = {
    "WorkOrderID": "90017",
    "ProductID": "7001",
    "OrderQty": "12",
    "StockedQty": "10",
    "ScrappedQty": "2",
    "StartDate": "04-03-2026",
    "EndDate": "15-03-2026",
    "DueDate": "14-03-2026",
    "ScrapReasonID": "11",
}
TRANSACTION = {
    "ProductID": "7003",
    "ReferenceOrderID": "8200",
    "ReferenceOrderLineID": "2",
    "TransactionDate": "05-03-2026",
    "TransactionType": "S",
    "Quantity": "4",
}
LINE = {
    "PurchaseOrderID": "8100",
    "PurchaseOrderDetailID": "8811",
    "ProductID": "7002",
    "ReceivedQty": "550",
    "RejectedQty": "50",
    "StockedQty": "480",
    "ModifiedDate": "01-04-2026",
}
# The same number as a spreadsheet, SQL Server's tools and a padded column write it.
WRITTEN = ("{}", "{}.00", "{}.0000", "  {} ")


def mapped(kind: str, row: Mapping[str, str], **options: Any) -> Sequence[Event]:
    context = InboundContext(PLANT, "source", "message", datetime(2026, 1, 1, tzinfo=UTC), {}, options)
    events = INBOUND["adventureworks", f"adventureworks.{kind}"].to_canonical(dict(row), context)
    for event in events:
        contract.validate(event.type, event.data)
    return events


def refusal(kind: str, row: Mapping[str, str], **options: Any) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        mapped(kind, row, **options)
    return caught.value.code, caught.value.field


def told(events: Sequence[Event]) -> list[tuple[str, list[str]]]:
    return [(event.type, [str(one.quantity.value) for one in contract.quantities(event)]) for event in events]


@given(made=st.integers(0, 9_999_999), lost=st.integers(0, 9_999_999), written=st.sampled_from(WRITTEN))
def test_an_order_that_ended_keeps_what_was_planned_lost_and_made_in_this_order(
    made: int, lost: int, written: str
) -> None:
    planned = made + lost or 1
    amounts = {"OrderQty": planned, "StockedQty": made, "ScrappedQty": lost}

    events = mapped("work_order", ORDER | {name: written.format(value) for name, value in amounts.items()})

    scrapped = [("production.scrapped.v1", [str(lost)])] if lost else []
    completed = ("production.completed.v1", [str(made)] if made else [])
    assert told(events) == [("production.order.released.v1", [str(planned)]), *scrapped, completed]
    assert events[-1].data["final"] is True


@pytest.mark.parametrize("empty", ["", " ", "NULL", " NULL "])
def test_an_order_without_an_end_is_released_and_nothing_of_it_is_completed(empty: str) -> None:
    events = mapped("work_order", ORDER | {"EndDate": empty, "ScrapReasonID": empty, "ScrappedQty": "0"})

    assert told(events) == [("production.order.released.v1", ["12"])]


@given(moved=st.integers(1, 9_999_999), written=st.sampled_from(WRITTEN), kind=st.sampled_from("PSW"))
def test_a_transaction_keeps_its_amount(moved: int, written: str, kind: str) -> None:
    (event,) = mapped("transaction", TRANSACTION | {"Quantity": written.format(moved), "TransactionType": kind})

    assert told([event])[0][1] == ([str(moved), str(moved), "0"] if kind == "P" else [str(moved)])


@pytest.mark.parametrize("kind", ["P", "W"])
def test_a_transaction_that_the_source_does_not_count_says_by_which_option(kind: str) -> None:
    nothing = mapped("transaction", TRANSACTION | {"TransactionType": kind}, transactions=["S"])

    assert isinstance(nothing, NothingToDo)
    assert re.match(f"TransactionType is {kind}.*`transactions` only S counts", nothing.reason)


@pytest.mark.parametrize("name", ["StartDate", "EndDate", "DueDate"])
@pytest.mark.parametrize("text", ["00:00.0", "12:31.5", "2026-03-04", "03/04/2026", "31-02-2026", "4-3-2026", "46085"])
def test_what_is_no_time_is_refused_with_its_column(name: str, text: str) -> None:
    assert refusal("work_order", ORDER | {name: text}) == ("time_invalid", name)


@pytest.mark.parametrize("text", ["-1", "1,000", "1,5", "1.", ".", "1e3", "twelve", "٣"])
@pytest.mark.parametrize("name", ["OrderQty", "StockedQty", "ScrappedQty"])
def test_what_is_no_number_of_pieces_is_refused_with_its_column(name: str, text: str) -> None:
    assert refusal("work_order", ORDER | {name: text}) == ("quantity_invalid", name)


@pytest.mark.parametrize("text", ["", "NULL"])
@pytest.mark.parametrize("name", sorted(LINE))
def test_a_purchase_line_that_lacks_a_value_is_refused_by_its_column(name: str, text: str) -> None:
    assert refusal("purchase_line", LINE | {name: text}) == ("payload_invalid", name)


@pytest.mark.parametrize("text", ["0", "0.00", ".0000"])
def test_a_purchase_line_of_which_nothing_came_has_nothing_to_report(text: str) -> None:
    nothing = dict.fromkeys(("ReceivedQty", "RejectedQty", "StockedQty"), text)

    assert refusal("purchase_line", LINE | nothing) == ("nothing_reported", "ReceivedQty")
