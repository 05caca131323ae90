"""What a posting does in a real Tryton: its effect once, on the right stock, and undone by the opposite document."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from app.adapters import tryton_documents as documents
from app.adapters.base import PostingRequest
from app.adapters.tryton_models import TRANSFER
from app.errors import Refused, Waiting
from tests.tryton_server import (
    EVERY_KIND,
    TrytonServer,
    amount,
    completion,
    issue,
    movement,
    new_key,
    posting,
    receipt,
    scrap,
    tryton_server,
)

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

every_kind = pytest.mark.parametrize("make", EVERY_KIND.values(), ids=EVERY_KIND)
Make = Callable[[], PostingRequest]


@every_kind
def test_a_document_posted_twice_has_one_effect(tryton_server: TrytonServer, make: Make) -> None:
    adapter, request = tryton_server.adapter(), make()

    first = adapter.post(request)
    after_the_first = tryton_server.stock()
    second = adapter.post(request)

    assert second == first
    assert tryton_server.stock() == after_the_first
    assert tryton_server.states(documents.model_of(request.document), request.posting_key) == ["done"]


@every_kind
def test_a_posted_document_is_found_and_an_absent_one_certainly_is_not(tryton_server: TrytonServer, make: Make) -> None:
    adapter, request = tryton_server.adapter(), make()

    before = adapter.find(request)
    answer = adapter.post(request)

    assert before is None
    assert adapter.find(request) == answer


@every_kind
def test_a_reversal_restores_the_stock_and_is_found_by_its_own_key(tryton_server: TrytonServer, make: Make) -> None:
    adapter, request = tryton_server.adapter(), make()
    before = tryton_server.stock()
    answer = adapter.post(request)
    reversal = replace(request, posting_key=new_key())
    changed = tryton_server.stock()

    undone = adapter.reverse(reversal, answer.reference)

    assert changed != before
    assert tryton_server.stock() == before
    assert adapter.find(reversal) == undone
    assert adapter.find(request) == answer


def test_a_reversal_asked_for_twice_reverses_once(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), completion()
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    answer = adapter.post(request)
    reversal = replace(request, posting_key=new_key())

    first = adapter.reverse(reversal, answer.reference)
    second = adapter.reverse(reversal, answer.reference)

    assert second == first
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before


def test_a_completion_brings_its_output_in_and_consumes_the_bill_of_materials(tryton_server: TrytonServer) -> None:
    before = {item: tryton_server.on_hand(item, "P300-ST") for item in ("FRAME-200", "FRAME-RAW", "PAINT-1")}
    output = {"item": "FRAME-200", "lot": new_key(), "quantity": amount(10)}

    tryton_server.adapter().post(
        posting("production.completed.v1", {"order_id": "7", "outputs": [output]}, plant="P300")
    )

    changes = {item: tryton_server.on_hand(item, "P300-ST") - before[item] for item in before}
    assert changes == {"FRAME-200": Decimal(10), "FRAME-RAW": Decimal(-10), "PAINT-1": Decimal("-3.5")}


def test_what_was_staged_at_the_line_is_consumed_before_the_store(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter()
    adapter.post(issue({"item": "SADDLE-20", "quantity": amount(2)}))
    before = tryton_server.on_hand("SADDLE-20", "P100-WIP"), tryton_server.on_hand("SADDLE-20", "P100-ST")

    adapter.post(completion(2))

    after = tryton_server.on_hand("SADDLE-20", "P100-WIP"), tryton_server.on_hand("SADDLE-20", "P100-ST")
    assert after == (before[0] - 2, before[1])


def test_several_completions_of_one_order_add_up(tryton_server: TrytonServer) -> None:
    before = tryton_server.on_hand("BIKE-100", "P100-ST")

    for quantity in (2, 3):
        tryton_server.adapter().post(completion(quantity))

    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 5


def test_the_order_number_is_searchable_behind_the_posting_key(tryton_server: TrytonServer) -> None:
    request = completion()

    answer = tryton_server.adapter().post(request)

    assert answer.body["reference"] == f"{request.posting_key} 1000123"


def test_a_quantity_in_another_unit_is_converted(tryton_server: TrytonServer) -> None:
    before = tryton_server.on_hand("WHEEL-10", "P100-WIP")

    tryton_server.adapter().post(issue({"item": "WHEEL-10", "quantity": amount(2, "BOX")}))

    assert tryton_server.on_hand("WHEEL-10", "P100-WIP") == before + 20


def test_scrap_leaves_the_stock(tryton_server: TrytonServer) -> None:
    before = tryton_server.on_hand("BIKE-100", "P100-ST")

    tryton_server.adapter().post(scrap(4))

    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before - 4


def test_rejected_goods_do_not_enter_the_store_and_uninspected_ones_wait_in_goods_in(
    tryton_server: TrytonServer,
) -> None:
    before = tryton_server.on_hand("TUBE-1", "P100-ST"), tryton_server.on_hand("TUBE-1", "P100-IN")

    tryton_server.adapter().post(receipt("451000002", received=10, accepted=6, rejected=3))

    after = tryton_server.on_hand("TUBE-1", "P100-ST"), tryton_server.on_hand("TUBE-1", "P100-IN")
    assert after == (before[0] + 6, before[1] + 1)


def test_partial_receipts_lower_what_the_order_still_expects(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter()

    for received in (100, 250):
        adapter.post(receipt("451000003", received=received, accepted=received))

    domain = [["purchase.number", "=", "451000003"], ["sequence", "=", 3]]
    (line,) = tryton_server.rest.search("purchase.line", domain, ["moves.state", "moves.quantity"])
    expected = [move["quantity"] for move in line["moves"] if move["state"] == "draft"]
    assert expected == [Decimal(650)]


def test_posts_at_once_under_one_key_leave_one_effect(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), completion(7)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: adapter.post(request), range(4)))

    assert len({answer.reference for answer in answers}) == 1
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 7
    strays = [state for state in tryton_server.states("production", request.posting_key) if state != "done"]
    assert set(strays) <= {"draft"}


def test_short_of_stock_keeps_no_reservation_and_names_what_it_waits_for(tryton_server: TrytonServer) -> None:
    lot = new_key()
    adapter = tryton_server.adapter()
    adapter.post(completion(3, lot=lot))

    with pytest.raises(Waiting) as caught:
        adapter.post(scrap(5, lot=lot))

    assert caught.value.for_what == "stock:P100:BIKE-100"
    assert "short of 2 EA of BIKE-100" in caught.value.reason
    assert adapter.post(scrap(3, lot=lot)).body["state"] == "done"


def test_a_waiting_document_goes_on_once_the_stock_is_there(tryton_server: TrytonServer) -> None:
    lot = new_key()
    adapter, request = tryton_server.adapter(), scrap(5, lot=lot)
    adapter.post(completion(3, lot=lot))
    with pytest.raises(Waiting):
        adapter.post(request)
    assert adapter.find(request) is None

    adapter.post(completion(2, lot=lot))

    assert adapter.post(request).body["state"] == "done"
    assert tryton_server.states(TRANSFER, request.posting_key) == ["done"]


REFUSALS = {
    "item_unknown": lambda: completion(item="NO-SUCH"),
    "bom_unknown": lambda: completion(item="WHEEL-10"),
    "location_unknown": lambda: movement(to={"storage": "P100-MOON"}),
    "unit_unknown": lambda: issue({"item": "SADDLE-20", "quantity": amount(1, "BOX")}),
    "quantity_precision": lambda: issue({"item": "SADDLE-20", "quantity": amount("0.5")}),
    "order_unknown": lambda: receipt("no-such-order"),
}


@pytest.mark.parametrize(("code", "make"), REFUSALS.items(), ids=REFUSALS)
def test_what_tryton_does_not_know_is_refused_with_a_code_before_anything_is_written(
    tryton_server: TrytonServer, code: str, make: Make
) -> None:
    request = make()

    with pytest.raises(Refused) as caught:
        tryton_server.adapter().post(request)

    assert caught.value.code == code
    assert tryton_server.states(documents.model_of(request.document), request.posting_key) == []


def test_a_document_that_somebody_cancelled_in_tryton_is_refused(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), scrap(5, lot=new_key())
    with pytest.raises(Waiting):
        adapter.post(request)
    (held,) = tryton_server.rest.search(TRANSFER, documents.with_key(request.posting_key), ["id"])
    tryton_server.rest.act(TRANSFER, held["id"], "cancel", ["state"], {"company": 1})

    with pytest.raises(Refused) as caught:
        adapter.post(request)

    assert caught.value.code == "document_cancelled"


def test_a_document_that_lost_its_moves_in_tryton_is_not_taken_for_posted(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), completion(1, item="FRAME-RAW")
    values = documents.body(request.document, request.posting_key, adapter._records)
    held = tryton_server.rest.create("production", values, ["id"], {"company": 1})
    for button in ("cancel", "draft"):
        tryton_server.rest.act("production", held["id"], button, ["state"], {"company": 1})

    with pytest.raises(Refused) as caught:
        adapter.post(request)

    assert caught.value.code == "document_emptied"
