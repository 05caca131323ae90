"""A dropped file of interchanges becomes a message for each that it holds; a bad one stands beside it by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.store.session import Store
from config.topology import DropFile
from config.topology_file import load_topology
from tests.interop.house import House, open_house

pytestmark = pytest.mark.slow

HEAD = "UNA:+.? '\r\nUNB+UNOC:3+4000001000005:14+4000002000004:14+260203:0915+{interchange}'\r\n"
ORDER = (
    "UNH+{reference}+ORDERS:D:96A:UN:EAN008'\r\nBGM+220+{order}+9'\r\nDTM+137:202602030915:203'\r\n"
    "LIN+1++4000001111115:EN'\r\nQTY+21:{amount}:PCE'\r\nUNS+S'\r\nUNT+7+{reference}'\r\n"
)


def order(reference: int, amount: str = "40") -> str:
    return ORDER.format(reference=reference, order=4500016 + reference, amount=amount)


def interchange(name: str, *messages: str) -> str:
    return HEAD.format(interchange=name) + "".join(messages) + f"UNZ+{len(messages)}+{name}'\r\n"


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    """The packaged topology with a customer who drops orders."""
    topology = load_topology(None)
    kind = DropFile("*.edi", "edifact.ORDERS", "edifact")
    source = replace(
        topology.sources["legacy-p300"], code="customer", mapping="edifact", files=(kind,), units={"PCE": "EA"}
    )
    return open_house(sqlite_store, tmp_path, replace(topology, sources={**topology.sources, "customer": source}))


def test_every_order_of_a_dropped_interchange_is_a_message(house: House) -> None:
    house.drop("customer", "orders.edi", interchange("IC1", order(1), order(2, "60"), order(3)))
    house.run()

    orders = [(event["data"]["purchase_order"], event["data"]["lines"]) for event in house.events(1, 2, 3)]
    assert [name for name, _ in orders] == ["4500017", "4500018", "4500019"]
    assert [lines[0]["quantity"] for _, lines in orders] == [
        {"value": each, "uom": "EA"} for each in ("40", "60", "40")
    ]


def test_a_message_that_is_cut_off_stands_in_the_errors_and_its_neighbours_are_taken(house: House) -> None:
    house.drop("customer", "orders.edi", interchange("IC1", order(1), order(2).partition("UNS")[0], order(3)))

    assert len(house.fates()) == 2
    assert "the message '2' has no UNT" in house.dropped("customer", "archive", "orders.edi.errors.csv")


def test_an_interchange_that_comes_again_in_another_file_is_not_taken_twice(house: House) -> None:
    house.drop("customer", "orders.edi", interchange("IC1", order(1), order(2)))
    house.drop("customer", "again.edi", "\r\n" + interchange("IC1", order(1), order(2)))
    house.drop("customer", "changed.edi", interchange("IC1", order(1, "41"), order(2)))

    assert len(house.fates()) == 2
    assert "message 1 came before under the same id" in house.dropped("customer", "archive", "changed.edi.errors.csv")


def test_a_file_of_another_kind_stands_in_failed_with_the_reason(house: House) -> None:
    house.drop("customer", "orders.edi", "HEADESADVD96AUNEAN005  8712345678910")

    assert "begins with 'HEADESADVD96'" in house.dropped("customer", "failed", "orders.edi.error.txt")
    assert house.fates() == []
