"""A closed posting period is no refusal: the message is held, or posted for the first open day, as told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetAnswer
from app.errors import OutcomeUnknown, PeriodClosed, Refused
from app.pipeline.context import Pipeline
from app.store.session import Store
from config.topology import Periods
from tests.factories import accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message, posting_states, states

pytestmark = pytest.mark.slow

FEBRUARY = "2026-02-27T23:30:00Z"  # the plant's clock says 28 February


class Ledger(Books):
    """Books that take nothing for days up to ``closed_to``, and may tell from when they do. ``calls`` counts."""

    def __init__(self, closed_to: str = "2026-02-28", *, tells: bool = True) -> None:
        super().__init__()
        self.closed_to = closed_to
        self.tells = tells
        self.calls = 0

    def post(self, request: PostingRequest) -> TargetAnswer:
        self._check(request)
        return super().post(request)

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        self._check(request)
        return super().reverse(request, reference)

    def _check(self, request: PostingRequest) -> None:
        self.calls += 1
        day = date.fromisoformat(str(request.document["posting_date"]))
        closed = date.fromisoformat(self.closed_to)
        if day <= closed:
            raise PeriodClosed("erp", day, "It is closed.", closed + timedelta(days=1) if self.tells else None)


def line_to(store: Store, erp: Books, clock: Clock, policy: Any, **others: Books) -> Pipeline:
    line = pipeline(store, {"erp": erp, **others}, clock)
    targets = {code: replace(target, periods=Periods(policy)) for code, target in line.topology.targets.items()}
    return replace(line, topology=replace(line.topology, targets=targets))


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def test_a_held_message_says_what_it_waits_for_and_never_grows_too_old(store: Store, clock: Clock) -> None:
    erp = Ledger()
    know_items(store)
    (moved,) = accept(store, move_event(at=FEBRUARY))
    line = line_to(store, erp, clock, "hold")

    for _ in range(60):
        run_once(line)
        clock.pass_time(86_400)

    found = message(store, moved)
    assert (found.state, found.waiting_for) == ("waiting", "period:erp:2026-02-28")
    assert found.reason == "It is closed. Waits for erp to take 2026-02-28."
    assert posting_states(store, moved) == ["planned"]


def test_a_held_message_is_asked_for_as_often_as_the_topology_says(store: Store, clock: Clock) -> None:
    erp = Ledger()
    know_items(store)
    accept(store, move_event(at=FEBRUARY))
    line = line_to(store, erp, clock, "hold")

    run_once(line)
    for _ in range(100):
        clock.pass_time(36)
        run_once(line)

    assert erp.calls == 2


def test_what_is_held_is_posted_once_the_period_is_open_and_wakes_all_that_wait_for_it(
    store: Store, clock: Clock
) -> None:
    erp = Ledger()
    know_items(store)
    line = line_to(store, erp, clock, "hold")
    first, second = accept(store, move_event("m1", at=FEBRUARY), move_event("m2", at=FEBRUARY))
    run_once(line, up_to=1)
    clock.pass_time(1_800)
    run_once(line)

    erp.closed_to = "2026-01-31"
    clock.pass_time(1_900)
    run_once(line)

    assert states(store, first, second) == ["posted", "posted"]
    assert [document["posting_date"] for document in erp.documents] == ["2026-02-28"] * 2


def test_the_first_open_day_is_posted_for_and_the_events_own_day_stays(store: Store, clock: Clock) -> None:
    erp = Ledger()
    know_items(store)
    (moved,) = accept(store, move_event(at=FEBRUARY))

    run_once(line_to(store, erp, clock, "next_open"))

    (document,) = erp.documents
    assert states(store, moved) == ["posted"]
    assert document["posting_date"] == "2026-03-01"
    assert document["data"]["event_time"] == "2026-02-27T23:30:00Z"


@pytest.mark.parametrize("policy", ["hold", "next_open"])
def test_a_day_that_is_open_is_posted_for_as_it_is(sqlite_store: Store, clock: Clock, policy: str) -> None:
    erp = Ledger("2026-01-31")
    know_items(sqlite_store)
    accept(sqlite_store, move_event(at=FEBRUARY))

    run_once(line_to(sqlite_store, erp, clock, policy))

    assert erp.documents[0]["posting_date"] == "2026-02-28"
    assert erp.calls == 1


def test_where_the_target_names_no_day_the_months_are_gone_through(sqlite_store: Store, clock: Clock) -> None:
    erp = Ledger("2026-01-31", tells=False)
    know_items(sqlite_store)
    accept(sqlite_store, move_event(at="2025-11-12T10:00:00Z"))

    run_once(line_to(sqlite_store, erp, clock, "next_open"))

    assert erp.documents[0]["posting_date"] == "2026-02-01"
    assert erp.calls == 4


def test_a_day_that_has_not_come_yet_is_waited_for(sqlite_store: Store, clock: Clock) -> None:
    erp = Ledger("2026-03-04")
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event())
    line = line_to(sqlite_store, erp, clock, "next_open")

    run_once(line)
    held = message(sqlite_store, moved).waiting_for
    clock.pass_time(3 * 86_400)
    run_once(line)

    assert held == "period:erp:2026-03-02"
    assert erp.documents[0]["posting_date"] == "2026-03-05"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", [Killed(), OutcomeUnknown("no answer")])
def test_what_was_sent_for_another_day_is_known_after_a_kill_or_a_lost_answer(
    store: Store, clock: Clock, when: str, what: BaseException
) -> None:
    erp = Ledger()
    getattr(erp, when).append(what)
    know_items(store)
    (moved,) = accept(store, move_event(at=FEBRUARY))
    line = line_to(store, erp, clock, "next_open")

    with suppress(Killed):
        run_once(line)
    clock.pass_time(120)
    run_once(line)

    assert states(store, moved) == ["posted"]
    assert [document["posting_date"] for document in erp.documents] == ["2026-03-01"]
    assert erp.calls == (2 if when == "after" else 3)


def test_without_a_policy_a_closed_period_is_a_refusal_that_says_so(sqlite_store: Store, clock: Clock) -> None:
    erp = Books()
    erp.before = [PeriodClosed("erp", date(2026, 2, 28), "It is closed.")]
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event(at=FEBRUARY))

    run_once(pipeline(sqlite_store, {"erp": erp}, clock))

    assert message(sqlite_store, moved).reason_code == "period_closed"


@pytest.mark.parametrize(("policy", "then"), [("hold", "waiting"), ("next_open", "dead")])
def test_a_reversal_in_a_closed_period_follows_the_same_policy(
    sqlite_store: Store, clock: Clock, policy: str, then: str
) -> None:
    erp, wms = Ledger("2026-01-31"), Books()
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event(at=FEBRUARY))
    line = line_to(sqlite_store, erp, clock, policy, wms=wms)
    wms.before = [Refused("lot_blocked", "No.")]
    wms.before[0:0] = [OutcomeUnknown("lost")]
    run_once(line)

    erp.closed_to = "2026-02-28"
    for _ in range(3):
        clock.pass_time(120)
        run_once(line)

    assert states(sqlite_store, moved) == [then]
    assert len(erp.effects) == (1 if policy == "hold" else 2)
