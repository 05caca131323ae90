"""What Lineside reads from a real Tryton, and what the demonstration's table counts there."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.adapters import tryton_planned_orders
from app.adapters.base import Document
from app.adapters.tryton_rest import tryton_date
from app.demo import catalogue
from app.demo.erp import erp_counts
from app.demo.erp_planner import enter_orders
from app.demo.shift_reports import Order
from app.errors import Refused
from tests.tryton_server import (
    TrytonServer,
    amount,
    completion,
    issue,
    movement,
    new_key,
    posting,
    scrap,
    tryton_server,
)

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

CONTEXT = {"company": 1}


def test_every_item_of_the_catalogue_is_read_with_its_units(tryton_server: TrytonServer) -> None:
    read = {item["code"]: item for item in tryton_server.adapter().read("items")}

    for item in catalogue.ITEMS:
        units = {symbol: str(factor) for symbol, factor in item.units.items()}
        if item.base_uom == "KG":
            units["G"] = "0.001"
        expected = {"code": item.code, "description": item.description, "base_uom": item.base_uom, "units": units}
        assert read[item.code] == expected


def test_balances_are_those_of_tryton_s_own_moves(tryton_server: TrytonServer) -> None:
    tryton_server.adapter().post(completion(lot="B-READ"))

    read = list(tryton_server.adapter().read("balances"))

    assert balances(read) == own_moves(tryton_server)
    assert {b["plant"] for b in read} == set(catalogue.PLANTS)
    assert ("P100-ST", "BIKE-100", "B-READ") in balances(read)


def test_a_lot_is_told_where_as_much_is_owed_without_one(tryton_server: TrytonServer) -> None:
    tryton_server.adapter().post(issue())
    in_sum = sum(
        total
        for (storage, item, _), total in tryton_server.stock().items()
        if (storage, item) == ("P100-WIP", "WHEEL-10")
    )
    tryton_server.adapter().post(movement(in_sum, **{"from": {"storage": "P100-WIP"}}))

    read = list(tryton_server.adapter().read("balances"))

    assert ("P100-WIP", "WHEEL-10", "W-OPEN") in balances(read)
    assert balances(read) == own_moves(tryton_server)


def balances(read: list[Document]) -> dict[tuple[str, str, str | None], str]:
    return {(b["storage"], b["item"], b["lot"]): b["quantity"]["value"] for b in read}


def own_moves(server: TrytonServer) -> dict[tuple[str, str, str | None], str]:
    return {key: format(total.normalize(), "f") for key, total in server.stock().items()}


def enter(server: TrytonServer, **changes: Any) -> str:
    """The number of a new order of ten bikes that waits in Tryton, planned from the 1st to the 3rd of January."""
    number = str(10**11 + secrets.randbelow(10**11))
    enter_orders(server.url, server.key, [Order("P100", number, "BIKE-100", 10, "")], date(2026, 1, 1))
    if changes:
        change(server, number, **changes)
    return number


def change(server: TrytonServer, number: str, **changes: Any) -> None:
    """What a planner does: back to a draft, the change, and planned again."""
    (found,) = server.rest.search("production", [["reference", "=", number]], ["id"])
    server.rest.act("production", found["id"], "draft", ["id"], CONTEXT)
    server.rest.update("production", found["id"], changes, ["id"], CONTEXT)
    server.rest.act("production", found["id"], "wait", ["id"], CONTEXT)


def orders(server: TrytonServer, since: datetime | None = None) -> dict[str, Document]:
    return {str(order["order_id"]): order for order in server.adapter().read("production_orders", since)}


def test_an_order_that_waits_is_read_with_its_materials_and_days(tryton_server: TrytonServer) -> None:
    number = enter(tryton_server, planned_date=tryton_date("2026-01-03"))

    order = dict(orders(tryton_server)[number])

    assert datetime.fromisoformat(order.pop("changed_at")).tzinfo is UTC
    assert order.pop("document_ref")["type"] == "production"
    assert order == {
        "plant": "P100",
        "order_id": number,
        "item": "BIKE-100",
        "quantity": amount(10),
        "start": "2026-01-01",
        "end": "2026-01-03",
        "materials": [
            {"item": "FRAME-200", "quantity": amount(10)},
            {"item": "SADDLE-20", "quantity": amount(10)},
            {"item": "WHEEL-10", "quantity": amount(20)},
        ],
    }


def test_a_reservation_that_was_given_up_does_not_change_an_order(tryton_server: TrytonServer) -> None:
    number = enter(tryton_server)
    before = orders(tryton_server)[number]
    (found,) = tryton_server.rest.search("production", [["reference", "=", number]], ["id"])

    for button in ("assign_try", "wait"):
        tryton_server.rest.act("production", found["id"], button, ["id"], CONTEXT)

    after = orders(tryton_server)[number]
    assert {**after, "changed_at": before["changed_at"]} == before


def test_only_what_was_changed_since_is_read(tryton_server: TrytonServer) -> None:
    old, changed = enter(tryton_server), enter(tryton_server)
    since = datetime.fromisoformat(orders(tryton_server)[changed]["changed_at"]) + timedelta(microseconds=1)

    unchanged = orders(tryton_server, since)
    change(tryton_server, changed, planned_start_date=tryton_date("2026-01-02"))
    after = orders(tryton_server, since)

    assert {old, changed} & unchanged.keys() == set()
    assert {old, changed} & after.keys() == {changed}
    assert after[changed]["start"] == "2026-01-02"


def test_what_lineside_posted_and_what_is_under_way_or_done_is_no_order(tryton_server: TrytonServer) -> None:
    waits, begun = enter(tryton_server), enter(tryton_server)
    (found,) = tryton_server.rest.search("production", [["reference", "=", begun]], ["id"])
    tryton_server.rest.act("production", found["id"], "assign_try", ["id"], CONTEXT)
    (found,) = tryton_server.rest.search("production", [["reference", "=", waits]], ["id"])
    tryton_server.rest.update("production", found["id"], {"reference": f"{new_key()} {waits}"}, ["id"], CONTEXT)
    tryton_server.adapter().post(completion())

    read = orders(tryton_server)

    assert begun not in read
    assert not [number for number in read if waits in number or number.startswith("LS")]


def test_a_number_under_which_two_productions_wait_is_told_as_a_fault(tryton_server: TrytonServer) -> None:
    number, other = enter(tryton_server), enter(tryton_server)
    (second,) = tryton_server.rest.search("production", [["reference", "=", other]], ["id"])
    tryton_server.rest.update("production", second["id"], {"reference": number}, ["id"], CONTEXT)

    read = [order for order in tryton_server.adapter().read("production_orders") if order["order_id"] == number]

    assert [order["fault"].partition(";")[0] for order in read] == [
        "2 productions wait in Tryton under this number",
    ] * 2


def test_an_order_that_is_closed_while_it_is_read_is_not_told_half_old_and_half_new(
    tryton_server: TrytonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, changed, other = (enter(tryton_server) for _ in range(3))
    adapter, materials = tryton_server.adapter(), tryton_planned_orders._materials

    def read_late(*arguments: Any) -> Any:
        outputs = [{"item": "BIKE-100", "quantity": amount(9)}]
        done = {"order_id": closed, "outputs": outputs, "final": True}
        tryton_server.adapter().post(posting("production.completed.v1", done))
        change(tryton_server, changed, quantity=12.0)
        return materials(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(tryton_planned_orders, "_materials", read_late)
        read = {order["order_id"] for order in adapter.read("production_orders")}

    assert {closed, changed, other} & read == {other}
    assert orders(tryton_server)[changed]["quantity"] == amount(12)


def test_many_orders_are_read_page_by_page(tryton_server: TrytonServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tryton_planned_orders, "_ORDERS_A_PAGE", 2)
    numbers = {enter(tryton_server) for _ in range(5)}

    read = [order["order_id"] for order in tryton_server.adapter().read("production_orders")]

    assert numbers <= set(read)
    assert len(set(read)) >= 5


def test_a_domain_that_tryton_is_not_read_for_is_refused(tryton_server: TrytonServer) -> None:
    with pytest.raises(Refused):
        tryton_server.adapter().read("weather")


def test_the_documents_that_tryton_holds_are_counted_per_plant(tryton_server: TrytonServer) -> None:
    before = erp_counts(tryton_server.url, tryton_server.key)

    for request in (completion(), scrap(), movement(to={"site": "P200"})):
        tryton_server.adapter().post(request)

    after = erp_counts(tryton_server.url, tryton_server.key)
    assert {plant: after[plant] - before[plant] for plant in after} == {"P100": 3, "P200": 0, "P300": 0}
