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


GOLDEN = Path(__file__).parent.parent / "golden"
SORTED = {
    "edifact": ["edifact.DESADV/range_of_pallets", "edifact.ORDERS/three_lines_in_two_units"],
    "x12": ["x12.856/carton_with_two_orders_and_loose_goods", "x12.850/two_lines_one_scheduled"],
}
STRANGERS = {"edifact": order(9).replace("ORDERS:D", "INVOIC:D"), "x12": "ST*810*0009~\nBIG*1~\nSE*3*0009~\n"}
CUT_OFF = {"edifact": order(8).partition("UNS")[0], "x12": "ST*850*0008~\nBEG*00*SA*1**20260203~\n"}


def whole(family: str, case: str) -> str:
    return next((GOLDEN / family / case).glob("input.*")).read_text("utf-8")


def between(family: str, file: str, *messages: str) -> str:
    """The file with these messages before the first of its own, which its envelope then does not count."""
    head, opens, rest = file.partition("UNH+" if family == "edifact" else "ST*")
    return head + "".join(messages) + opens + rest


def sorted_house(store: Store, home: Path, family: str) -> House:
    topology = load_topology(None)
    kinds = tuple(case.partition("/")[0] for case in SORTED[family])
    kind = DropFile("*.edi", "", family, types=kinds)  # type: ignore[arg-type]
    units = {"PCE": "EA", "KGM": "KG", "EA": "EA", "LB": "LB"}
    source = replace(topology.sources["legacy-p300"], code="customer", mapping=family, files=(kind,), units=units)
    return open_house(store, home, replace(topology, sources={**topology.sources, "customer": source}))


@pytest.mark.parametrize("family", SORTED)
def test_a_file_of_several_document_types_goes_to_the_mapping_of_each_whatever_else_is_in_it(
    sqlite_store: Store, tmp_path: Path, family: str
) -> None:
    house = sorted_house(sqlite_store, tmp_path, family)
    notice, placed = (whole(family, case) for case in SORTED[family])

    house.drop("customer", "day.edi", notice + between(family, placed, STRANGERS[family], CUT_OFF[family]))
    house.run()

    assert [event["type"] for event in house.events(1, 2)] == ["shipment.confirmed.v1", "purchase.order.placed.v1"]
    assert len(house.fates()) == 2
    errors = house.dropped("customer", "archive", "day.edi.errors.csv")
    stranger = {"edifact": "'INVOIC'", "x12": "'810'"}[family]
    assert f"the message is of kind {stranger}, and files *.edi are read for {', '.join(house_types(family))}" in errors
    assert "the message '8' has no UNT" in errors or "the message '0008' has no SE" in errors


def house_types(family: str) -> list[str]:
    return [case.partition("/")[0] for case in SORTED[family]]
