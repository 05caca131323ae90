"""Production orders that a real Tryton holds: the final completion ends the order itself, and only the final one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.base import PostingRequest
from app.bench.faulty_proxy import FaultyProxy
from app.demo.catalogue import SERVICE_LOGIN
from app.demo.erp_planner import enter_orders
from app.demo.shift_reports import Order
from app.errors import OutcomeUnknown, Refused
from tests.tryton_server import TrytonServer, amount, new_key, posting, tryton_server

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

CONTEXT = {"company": 1}
with_and_without_login = pytest.mark.parametrize("options", [{}, {"login": SERVICE_LOGIN}], ids=["alone", "shared"])


@pytest.fixture
def proxy(tryton_server: TrytonServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(tryton_server.url) as proxy:
        yield proxy


@pytest.fixture
def order(tryton_server: TrytonServer) -> Order:
    """Ten bikes, waiting in Tryton."""
    order = Order("P100", str(10**11 + secrets.randbelow(10**11)), "BIKE-100", 10, "")
    enter_orders(tryton_server.url, tryton_server.key, [order], date(2026, 1, 1))
    return order


def report(order: Order, good: int, *, final: bool = True, item: str = "BIKE-100", **data: Any) -> PostingRequest:
    outputs = [{"item": item, "lot": f"L{order.number}", "quantity": amount(good)}]
    return posting(
        "production.completed.v1", {"order_id": order.number, "outputs": outputs, "final": final, **data}, order.plant
    )


def productions(server: TrytonServer, order: Order) -> list[tuple[str, str, Decimal]]:
    """Reference without the posting key, state and quantity of everything that names the order, the oldest first."""
    domain = [["reference", "like", f"%{order.number}%"]]
    found = server.rest.search("production", domain, ["reference", "state", "quantity"])
    return [("KEY" * (one["reference"] != order.number), one["state"], one["quantity"]) for one in found]


def press(server: TrytonServer, order: Order, button: str) -> None:
    (found,) = server.rest.search("production", [["reference", "=", order.number]], ["id"])
    server.rest.act("production", found["id"], button, ["id"], CONTEXT)


def test_an_order_that_is_entered_twice_stands_there_once_and_reserves_nothing(
    tryton_server: TrytonServer, order: Order
) -> None:
    enter_orders(tryton_server.url, tryton_server.key, [order], date(2026, 1, 1))

    (found,) = tryton_server.rest.search("production", [["reference", "=", order.number]], ["state", "inputs.state"])
    assert found["state"] == "waiting"
    assert {move["state"] for move in found["inputs"]} == {"draft"}


def test_an_order_that_is_done_is_not_entered_again(tryton_server: TrytonServer, order: Order) -> None:
    tryton_server.adapter().post(report(order, 9))

    enter_orders(tryton_server.url, tryton_server.key, [order], date(2026, 1, 1))

    assert productions(tryton_server, order) == [("KEY", "done", 9)]


def test_a_report_that_is_not_the_last_leaves_the_order_waiting(tryton_server: TrytonServer, order: Order) -> None:
    tryton_server.adapter().post(report(order, 4, final=False))

    assert productions(tryton_server, order) == [("", "waiting", 10), ("KEY", "done", 4)]


@with_and_without_login
def test_the_final_report_makes_the_order_done_with_what_was_made(
    tryton_server: TrytonServer, order: Order, options: dict[str, Any]
) -> None:
    before = tryton_server.on_hand("BIKE-100", "P100-ST"), tryton_server.on_hand("FRAME-200", "P100-ST")
    request = report(order, 9, segment="20")

    answer = tryton_server.adapter(**options).post(request)

    after = tryton_server.on_hand("BIKE-100", "P100-ST"), tryton_server.on_hand("FRAME-200", "P100-ST")
    assert productions(tryton_server, order) == [("KEY", "done", 9)]
    assert answer.body["reference"] == f"{request.posting_key} {order.number} 20"
    assert after == (before[0] + 9, before[1] - 9)
    assert tryton_server.stock()["P100-ST", "BIKE-100", f"L{order.number}"] == 9


@with_and_without_login
def test_a_final_report_posted_twice_has_one_effect(
    tryton_server: TrytonServer, order: Order, options: dict[str, Any]
) -> None:
    adapter, request = tryton_server.adapter(**options), report(order, 9)

    first = adapter.post(request)
    second = adapter.post(request)

    assert second == first == adapter.find(request)
    assert productions(tryton_server, order) == [("KEY", "done", 9)]


@pytest.mark.parametrize(
    ("method", "call"),
    [("POST", "/draft"), ("PUT", ""), ("POST", "/wait"), ("POST", "/assign_try"), ("POST", "/run"), ("POST", "/do")],
)
def test_an_answer_lost_on_the_way_to_done_leaves_one_effect(
    tryton_server: TrytonServer, proxy: FaultyProxy, order: Order, method: str, call: str
) -> None:
    adapter, request = tryton_server.adapter(proxy.url), report(order, 9)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    proxy.lose_answer_of(method, call)

    with pytest.raises(OutcomeUnknown):
        adapter.post(request)
    adapter.post(request)

    assert productions(tryton_server, order) == [("KEY", "done", 9)]
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 9


def test_the_second_of_two_final_reports_is_a_production_of_its_own(tryton_server: TrytonServer, order: Order) -> None:
    for good in (6, 3):
        tryton_server.adapter().post(report(order, good))

    assert productions(tryton_server, order) == [("KEY", "done", 6), ("KEY", "done", 3)]


def test_of_two_final_reports_that_read_the_order_at_once_only_one_gets_it(
    tryton_server: TrytonServer, proxy: FaultyProxy, order: Order
) -> None:
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    proxy.before("PUT", "", lambda: tryton_server.adapter().post(report(order, 6)))

    tryton_server.adapter(proxy.url).post(report(order, 3))

    assert productions(tryton_server, order) == [("KEY", "done", 6), ("KEY", "done", 3)]
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 9


def test_a_final_report_posted_twice_at_once_has_one_effect(
    tryton_server: TrytonServer, proxy: FaultyProxy, order: Order
) -> None:
    request = report(order, 9)
    proxy.before("PUT", "", lambda: tryton_server.adapter().post(request))

    tryton_server.adapter(proxy.url).post(request)

    assert productions(tryton_server, order) == [("KEY", "done", 9)]


@with_and_without_login
def test_final_reports_of_many_threads_lose_nothing(
    tryton_server: TrytonServer, order: Order, options: dict[str, Any]
) -> None:
    adapter, before = tryton_server.adapter(**options), tryton_server.on_hand("BIKE-100", "P100-ST")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(adapter.post, [report(order, good) for good in (1, 2, 3, 4)]))

    assert [state for _, state, _ in productions(tryton_server, order)] == ["done"] * 4
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 10


def test_an_order_that_is_made_into_another_product_is_refused_until_somebody_mends_it(
    tryton_server: TrytonServer, order: Order
) -> None:
    with pytest.raises(Refused) as caught:
        tryton_server.adapter().post(report(order, 9, item="FRAME-RAW"))

    assert caught.value.code == "order_differs"
    assert f"order {order.number} is for BIKE-100, and FRAME-RAW was reported" in caught.value.reason
    assert productions(tryton_server, order) == [("", "waiting", 10)]


@pytest.mark.parametrize("button", ["draft", "assign_try"])
def test_an_order_that_a_person_moved_between_planned_states_is_closed_or_left_to_them(
    tryton_server: TrytonServer, order: Order, button: str
) -> None:
    press(tryton_server, order, button)

    tryton_server.adapter().post(report(order, 9))

    left_to_them = [("", "assigned", 10)] if button == "assign_try" else []
    assert productions(tryton_server, order) == [*left_to_them, ("KEY", "done", 9)]


def test_a_reversal_of_a_final_report_restores_the_stock(tryton_server: TrytonServer, order: Order) -> None:
    adapter, request = tryton_server.adapter(), report(order, 9)
    before = tryton_server.stock()
    answer = adapter.post(request)

    adapter.reverse(replace(request, posting_key=new_key()), answer.reference)

    assert tryton_server.stock() == before
