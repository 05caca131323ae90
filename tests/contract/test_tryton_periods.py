"""Stock periods that are closed in a real Tryton."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.adapters.base import PostingRequest
from app.errors import PeriodClosed, Refused
from tests.tryton_server import TrytonServer, completion, movement, new_key, tryton_server

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]

CLOSED_TO = date(2025, 12, 31)
EVENT_DAY = "2025-12-30"


@contextmanager
def closed_period(server: TrytonServer) -> Iterator[None]:
    """Closed while the block runs, since other tests post for days of their own; by Tryton's database itself, since
    the service user may see periods and close none."""
    insert = "INSERT INTO stock_period (company, date, state) VALUES (1, ?, 'closed')"
    with closing(sqlite3.connect(server.database, timeout=30, isolation_level=None)) as connection:
        connection.execute(insert, (CLOSED_TO.isoformat(),))
        try:
            yield
        finally:
            connection.execute("DELETE FROM stock_period")


def of_day(make: Callable[[], PostingRequest], day: str = EVENT_DAY) -> PostingRequest:
    made = make()
    return replace(made, document={**made.document, "day": day})


def dated(request: PostingRequest, day: str) -> PostingRequest:
    return replace(request, document={**request.document, "posting_date": day})


@pytest.mark.parametrize("make", [completion, movement])
def test_a_document_of_a_closed_day_waits_for_its_period_and_has_no_effect(
    tryton_server: TrytonServer, make: Callable[[], PostingRequest]
) -> None:
    request, before = of_day(make), tryton_server.stock()

    with closed_period(tryton_server), pytest.raises(PeriodClosed) as closed:
        tryton_server.adapter().post(request)

    assert closed.value.for_what == f"period:erp:{EVENT_DAY}"
    assert closed.value.open_on == CLOSED_TO + timedelta(days=1)
    assert tryton_server.stock() == before


@pytest.mark.parametrize(
    ("make", "item", "storage", "more"), [(completion, "BIKE-100", "P100-ST", 2), (movement, "WHEEL-10", "P100-OUT", 3)]
)
def test_a_draft_of_an_earlier_attempt_is_planned_anew_for_the_open_day(
    tryton_server: TrytonServer, make: Callable[[], PostingRequest], item: str, storage: str, more: int
) -> None:
    adapter, request = tryton_server.adapter(), of_day(make)
    before = tryton_server.on_hand(item, storage)
    with closed_period(tryton_server):
        with pytest.raises(PeriodClosed):
            adapter.post(request)

        answer = adapter.post(dated(request, "2026-01-01"))

    model, _, number = answer.reference.partition(",")
    record = tryton_server.rest.get(model, int(number), ["planned_date", "state"])
    assert (record["planned_date"]["year"], record["planned_date"]["month"]) == (2026, 1)
    assert tryton_server.states(model, request.posting_key) == ["done"]
    assert tryton_server.on_hand(item, storage) == before + more


def test_what_was_held_is_posted_for_its_own_day_once_the_period_is_open(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), of_day(completion)
    with closed_period(tryton_server), pytest.raises(PeriodClosed):
        adapter.post(request)

    assert adapter.post(request).body["state"] == "done"


def test_a_reversal_of_a_closed_day_waits_and_is_made_for_an_open_one(tryton_server: TrytonServer) -> None:
    adapter, request = tryton_server.adapter(), of_day(completion)
    before = tryton_server.stock()
    original = adapter.post(request)
    reversal = replace(request, posting_key=new_key())

    with closed_period(tryton_server):
        with pytest.raises(PeriodClosed):
            adapter.reverse(reversal, original.reference)
        undone = adapter.reverse(dated(reversal, "2026-01-01"), original.reference)

    assert adapter.find(reversal) == undone
    assert tryton_server.stock() == before


def test_another_refusal_while_a_period_is_closed_stays_a_refusal(tryton_server: TrytonServer) -> None:
    with closed_period(tryton_server), pytest.raises(Refused) as refused:
        tryton_server.adapter().post(completion(item="NO-SUCH"))

    assert refused.value.code == "item_unknown"
