"""Postings that share their calls keep every promise of those that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.adapters.base import PostingRequest, TargetAnswer
from app.adapters.tryton import TrytonAdapter
from app.adapters.tryton_models import TRANSFER
from app.bench.faulty_proxy import FaultyProxy
from app.demo.catalogue import SERVICE_LOGIN
from app.errors import LinesideError, OutcomeUnknown, Waiting
from tests.tryton_server import TrytonServer, completion, movement, new_key, scrap, tryton_server

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

THREADS = 8


@pytest.fixture
def proxy(tryton_server: TrytonServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(tryton_server.url) as proxy:
        yield proxy


def post_all(adapter: TrytonAdapter, requests: Sequence[PostingRequest]) -> list[TargetAnswer | LinesideError]:
    def post(request: PostingRequest) -> TargetAnswer | LinesideError:
        try:
            return adapter.post(request)
        except LinesideError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(post, requests))


def test_postings_under_way_at_once_share_their_calls_and_each_has_its_effect_once(
    tryton_server: TrytonServer, proxy: FaultyProxy
) -> None:
    adapter = tryton_server.adapter(proxy.url, login=SERVICE_LOGIN)
    post_all(adapter, [completion(1), movement(1)])
    calls_to_warm_up = proxy.passed("")
    before = tryton_server.on_hand("BIKE-100", "P100-ST"), tryton_server.on_hand("WHEEL-10", "P100-OUT")
    requests = [*(completion(number) for number in range(1, 13)), *(movement(2) for _ in range(6))]

    answers = post_all(adapter, requests)

    assert not [str(a) for a in answers if isinstance(a, LinesideError)]
    assert [answer.body["reference"][:26] for answer in answers] == [request.posting_key for request in requests]
    after = tryton_server.on_hand("BIKE-100", "P100-ST"), tryton_server.on_hand("WHEEL-10", "P100-OUT")
    assert after == (before[0] + sum(range(1, 13)), before[1] + 12)
    assert proxy.passed("") - calls_to_warm_up < 4 * len(requests)


def test_one_that_is_short_of_stock_holds_up_none_of_the_others(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter(login=SERVICE_LOGIN)
    short = scrap(1, lot=new_key())
    others = [scrap(1) for _ in range(THREADS - 1)]

    first, *rest = post_all(adapter, [short, *others])

    assert isinstance(first, Waiting)
    assert [answer.body["state"] for answer in rest] == ["done"] * len(others)
    assert tryton_server.states(TRANSFER, short.posting_key) == ["waiting"]


@pytest.mark.parametrize("lost_call", range(1, 6))
def test_a_shared_answer_lost_after_the_commit_doubles_nothing(
    tryton_server: TrytonServer, proxy: FaultyProxy, lost_call: int
) -> None:
    adapter = tryton_server.adapter(proxy.url, login=SERVICE_LOGIN)
    before = tryton_server.on_hand("BIKE-100", "P100-ST")
    requests = [completion(1) for _ in range(THREADS)]
    for _ in range(lost_call):
        proxy.let_through("POST", "/rpc/")
    proxy.lose_answer_of("POST", "/rpc/")

    answers = post_all(adapter, requests)
    again = post_all(adapter, requests)

    assert any(isinstance(answer, OutcomeUnknown) for answer in answers)
    assert [answer.body["state"] for answer in again] == ["done"] * THREADS
    assert tryton_server.on_hand("BIKE-100", "P100-ST") == before + THREADS


def test_a_call_that_fails_together_is_tried_one_by_one(tryton_server: TrytonServer, proxy: FaultyProxy) -> None:
    adapter = tryton_server.adapter(proxy.url, login=SERVICE_LOGIN)
    proxy.let_through("POST", "/rpc/")
    for _ in range(3):
        proxy.answer("POST", "/rpc/", 200, {}, b'{"id": 0, "error": ["UserError", ["no"]]}')

    answers = post_all(adapter, [completion(1) for _ in range(THREADS)])

    assert [answer.body["state"] for answer in answers] == ["done"] * THREADS


def test_a_login_that_tryton_does_not_accept_only_costs_speed(tryton_server: TrytonServer) -> None:
    adapter = tryton_server.adapter(login="nobody")

    answers = post_all(adapter, [scrap(1) for _ in range(THREADS)])

    assert [answer.body["state"] for answer in answers] == ["done"] * THREADS
