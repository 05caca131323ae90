"""What a real Tryton's silence, refusals and bad moments become: nothing doubled, nothing lost, the next move clear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.adapters.tryton_models import RECEIPT
from app.bench.faulty_proxy import FaultyProxy
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient
from tests.tryton_server import TrytonServer, completion, receipt, tryton_server

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

COMPLETION_CALLS = ["/production", "/wait", "/assign_try", "/run", "/do"]


@pytest.fixture
def proxy(tryton_server: TrytonServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(tryton_server.url) as proxy:
        yield proxy


@pytest.mark.parametrize("call", COMPLETION_CALLS)
def test_an_answer_lost_after_the_commit_leaves_one_effect(
    tryton_server: TrytonServer, proxy: FaultyProxy, call: str
) -> None:
    adapter, request = tryton_server.adapter(proxy.url), completion(2)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    proxy.lose_answer_of("POST", call)

    with pytest.raises(OutcomeUnknown):
        adapter.post(request)
    found = adapter.find(request)
    answer = adapter.post(request)

    assert found == (answer if call == "/do" else None)
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 2
    assert tryton_server.states("production", request.posting_key) == ["done"]


@pytest.mark.parametrize("call", ["/stock.shipment.in", "/receive", "/do"])
def test_a_receipt_whose_answer_was_lost_is_received_once(
    tryton_server: TrytonServer, proxy: FaultyProxy, call: str
) -> None:
    adapter, request = tryton_server.adapter(proxy.url), receipt("451000004", received=6, accepted=3, rejected=2)
    before = tryton_server.on_hand("TUBE-1", "P100-ST")
    proxy.lose_answer_of("POST", call)

    with pytest.raises(OutcomeUnknown):
        adapter.post(request)
    adapter.post(request)

    assert tryton_server.on_hand("TUBE-1", "P100-ST") == before + 3
    assert tryton_server.states(RECEIPT, request.posting_key) == ["done"]


def test_a_lost_answer_to_a_search_is_transient_since_nothing_was_written(
    tryton_server: TrytonServer, proxy: FaultyProxy
) -> None:
    request = completion()
    proxy.lose_answer_of("GET", "/production")

    with pytest.raises(Transient):
        tryton_server.adapter(proxy.url).post(request)

    assert tryton_server.states("production", request.posting_key) == []


def test_a_write_without_an_answer_in_time_has_an_unknown_outcome(
    tryton_server: TrytonServer, proxy: FaultyProxy
) -> None:
    request = completion()
    adapter = tryton_server.adapter(proxy.url, timeout_seconds=3.0)
    adapter.find(request)
    proxy.hold("POST", "/production")

    with pytest.raises(OutcomeUnknown):
        adapter.post(request)


@pytest.mark.parametrize("call", COMPLETION_CALLS)
def test_a_busy_tryton_is_transient_and_the_next_post_goes_on(
    tryton_server: TrytonServer, proxy: FaultyProxy, call: str
) -> None:
    adapter, request = tryton_server.adapter(proxy.url), completion(2)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    proxy.answer("POST", call, 503, {"Retry-After": "7"})

    with pytest.raises(Transient) as caught:
        adapter.post(request)
    adapter.post(request)

    assert caught.value.after_seconds == 7
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 2


def test_one_server_fault_is_tried_again_at_once(tryton_server: TrytonServer, proxy: FaultyProxy) -> None:
    request = completion()
    proxy.answer("POST", "/run", 500, {})

    answer = tryton_server.adapter(proxy.url).post(request)

    assert answer.body["state"] == "done"


@pytest.mark.parametrize("call", ["/production", "/run"])
def test_a_server_fault_that_stays_is_refused(tryton_server: TrytonServer, proxy: FaultyProxy, call: str) -> None:
    request = completion()
    for _ in range(2):
        proxy.answer("POST", call, 500, {})

    with pytest.raises(Refused) as caught:
        tryton_server.adapter(proxy.url).post(request)

    assert caught.value.code == "target_error"


def test_a_button_that_another_writer_pressed_first_is_no_refusal(
    tryton_server: TrytonServer, proxy: FaultyProxy
) -> None:
    adapter, request = tryton_server.adapter(proxy.url), completion(2)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    proxy.before("POST", "/run", lambda: tryton_server.adapter().post(request))

    answer = adapter.post(request)

    assert answer.body["state"] == "done"
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + 2


def test_a_wrong_key_pauses_the_target(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter(key="wrong")

    for call in (adapter.check, lambda: adapter.post(completion()), lambda: adapter.find(completion())):
        with pytest.raises(TargetPaused) as caught:
            call()
        assert "wrong" not in str(caught.value)


def test_a_server_that_is_not_there_is_transient_even_for_a_write(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter("http://127.0.0.1:9/lineside")

    with pytest.raises(Transient):
        adapter.post(completion())


def test_a_database_that_the_server_does_not_have_is_refused(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter(tryton_server.url + "-no-such")

    with pytest.raises(Refused):
        adapter.check()


def test_an_answer_that_is_not_tryton_s_is_no_success(tryton_server: TrytonServer, proxy: FaultyProxy) -> None:
    proxy.answer("GET", "/company.company", 200, {"Content-Type": "text/html"}, b"<html>log in</html>")

    with pytest.raises(Transient):
        tryton_server.adapter(proxy.url).check()
