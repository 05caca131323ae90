"""Every event that a subscriber wants reaches it, signed, in its order, whatever fails in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from app.adapters.guarded_http import Reach
from app.clock import utc_now
from app.store.exception_tables import BusinessException
from app.store.session import Store
from app.webhooks import deliveries
from app.webhooks.backing_off import ALONE_MOST_SECONDS, WAITS_SECONDS
from app.webhooks.deliveries import UNDELIVERED_MOST, attempts_of, make_test, replay
from app.webhooks.sending import WebhookSender
from app.webhooks.subscribers import Wanted, find_subscriber, pause_subscriber, resume_subscriber, rotate_secret
from tests.fakes import Clock, Killed
from tests.flow.hooks import Hooks
from tests.receiver import Receiver, receiving
from tests.web import web_app

DAY = 86_400.0


@pytest.fixture
def hooks(store: Store, tmp_path: Path) -> Hooks:
    return Hooks(store, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def test_each_event_is_sent_once_in_its_order_as_a_signed_cloud_event(hooks: Hooks, receiver: Receiver) -> None:
    hooks.clock = Clock(utc_now())
    subscriber, secret = hooks.subscribe(receiver.url)
    ids = hooks.tell("L1", "L1", None)

    hooks.serve(subscriber)
    hooks.serve(subscriber)

    assert receiver.ids == ids
    for call in receiver.calls:
        event = Webhook(secret).verify(call.body, call.headers)
        assert event["id"] == call.headers["webhook-id"]
        assert event["type"] == "inventory.moved.v1"
        assert call.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    assert set(hooks.states(subscriber).values()) == {"delivered"}


def test_what_was_told_before_somebody_subscribed_is_not_sent(hooks: Hooks, receiver: Receiver) -> None:
    hooks.tell("L1")
    subscriber, _ = hooks.subscribe(receiver.url)
    (new,) = hooks.tell("L1")

    hooks.serve(subscriber)

    assert receiver.ids == [new]


def test_a_subscriber_is_told_only_of_what_it_wants(hooks: Hooks, receiver: Receiver) -> None:
    wants = [Wanted(types=["production.completed.v1"]), Wanted(plants=["P200"]), Wanted(items=["BIKE-100"])]
    none = [hooks.subscribe(receiver.url, f"none-{n}", wanted)[0] for n, wanted in enumerate(wants)]
    fits, _ = hooks.subscribe(
        receiver.url, "fits", Wanted(types=["inventory.moved.v1"], plants=["P100"], items=["WHEEL-10", "X"])
    )
    ids = hooks.tell("L1", "L2")

    for subscriber in [*none, fits]:
        hooks.serve(subscriber)

    assert receiver.ids == ids
    assert hooks.sender.due() == []


def test_while_a_secret_is_replaced_both_verify_and_the_old_one_ends(hooks: Hooks, receiver: Receiver) -> None:
    hooks.clock = Clock(utc_now())
    subscriber, old = hooks.subscribe(receiver.url)
    with hooks.store.writing() as session:
        row = find_subscriber(session, subscriber)
        assert row is not None
        new = rotate_secret(session, hooks.seal, row, hooks.clock())
    hooks.tell("L1")

    hooks.serve(subscriber)
    (call,) = receiver.calls
    for secret in (old, new):
        Webhook(secret).verify(call.body, call.headers)
    hooks.wait(DAY + 1)
    hooks.tell("L1")
    hooks.serve(subscriber)

    assert len(receiver.calls[1].headers["webhook-signature"].split()) == 1
    assert old not in str(row.secrets)
    assert new not in str(row.secrets)


def test_a_body_that_was_changed_on_its_way_is_not_verified(hooks: Hooks, receiver: Receiver) -> None:
    hooks.clock = Clock(utc_now())
    subscriber, secret = hooks.subscribe(receiver.url)
    hooks.tell("L1")

    hooks.serve(subscriber)

    (call,) = receiver.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(call.body.replace(b'"2"', b'"3"'), call.headers)


def test_one_that_fails_is_sent_again_later_and_later_then_failed_with_its_reason(
    hooks: Hooks, receiver: Receiver
) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    poison, fine = hooks.tell("L1", "L2")
    receiver.answer = lambda call: (500 if call.headers["webhook-id"] == poison else 200, {})
    times = []

    for _ in range(len(WAITS_SECONDS) + 2):
        hooks.serve(subscriber)
        times.append(receiver.ids.count(poison))
        hooks.tell("L9")  # the receiver takes others meanwhile
        hooks.serve(subscriber)
        hooks.wait(WAITS_SECONDS[min(len(times), len(WAITS_SECONDS)) - 1])

    assert times == [*range(1, len(WAITS_SECONDS) + 2), len(WAITS_SECONDS) + 1]
    assert sum(WAITS_SECONDS) == pytest.approx(DAY, rel=0.15)
    assert hooks.states(subscriber)[poison] == "failed"
    assert hooks.states(subscriber)[fine] == "delivered"
    assert "it answered 500" in hooks.reasons()
    assert hooks.subscriber(subscriber).state == "active"


def test_nothing_is_sent_before_it_is_due(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    hooks.tell("L1")
    receiver.says(500)
    hooks.serve(subscriber)

    hooks.wait(WAITS_SECONDS[0] - 0.1)
    hooks.serve(subscriber)
    early = len(receiver.calls)
    hooks.wait(0.2)
    hooks.serve(subscriber)

    assert (early, len(receiver.calls)) == (1, 2)


def test_later_events_of_the_same_key_wait_for_one_that_fails_and_others_do_not(
    hooks: Hooks, receiver: Receiver
) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    first, second, other = hooks.tell("L1", "L1", "L2")
    receiver.answer = lambda call: (503 if call.headers["webhook-id"] == first else 200, {})
    hooks.serve(subscriber)
    before = list(receiver.ids)

    receiver.says(200)
    hooks.wait(WAITS_SECONDS[0] + 1)
    hooks.serve(subscriber)

    assert before == [first, other]
    assert receiver.ids == [first, other, first, second]


def test_retry_after_is_heeded(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    hooks.tell("L1")
    receiver.says(429, Retry_After="300")
    hooks.serve(subscriber)
    receiver.says(200)

    hooks.wait(299)
    hooks.serve(subscriber)
    early = len(receiver.calls)
    hooks.wait(2)
    hooks.serve(subscriber)

    assert (early, len(receiver.calls)) == (1, 2)


def test_a_receiver_that_is_down_is_called_rarely_however_much_it_misses(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    hooks.tell(*(f"L{number}" for number in range(20)))
    receiver.says(500)

    for _ in range(60):
        hooks.serve(subscriber)
        hooks.wait(60)

    assert len(receiver.calls) < 20
    assert hooks.subscriber(subscriber).failures == len(receiver.calls)


def test_a_subscriber_that_took_nothing_for_a_day_is_paused_and_told_and_gets_all_once_it_is_resumed(
    hooks: Hooks, receiver: Receiver
) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    ids = hooks.tell("L1", "L2", "L3")
    receiver.says(500)
    for _ in range(int(DAY / ALONE_MOST_SECONDS) + 20):
        hooks.serve(subscriber)
        hooks.wait(ALONE_MOST_SECONDS)
    row = hooks.subscriber(subscriber)
    with hooks.store.reading() as session:
        told = session.scalars(select(BusinessException)).all()

    ids += hooks.tell("L4")
    receiver.says(200)
    receiver.calls.clear()
    assert hooks.sender.due() == []
    with hooks.store.writing() as session:
        assert resume_subscriber(session, session.get_one(type(row), subscriber), hooks.clock())
    hooks.serve(subscriber)

    assert row.state == "paused"
    assert "it answered 500" in str(row.state_reason)
    assert [(one.rule, one.state, one.subject) for one in told] == [("webhook_paused", "open", "webhook:bi")]
    assert receiver.ids == ids
    with hooks.store.reading() as session:
        assert session.scalars(select(BusinessException.state)).all() == ["resolved"]


def test_a_receiver_that_is_gone_is_paused_at_once(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    hooks.tell("L1")
    receiver.says(410)

    hooks.serve(subscriber)

    assert hooks.subscriber(subscriber).state == "paused"
    assert set(hooks.states(subscriber).values()) == {"due"}


def test_a_paused_subscriber_is_sent_nothing_and_misses_nothing(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    with hooks.store.writing() as session:
        row = find_subscriber(session, subscriber)
        assert row is not None
        pause_subscriber(session, row, "moving house", hooks.clock())
    ids = hooks.tell("L1", "L2")
    assert hooks.sender.due() == []
    hooks.serve(subscriber)
    before = list(receiver.ids)

    with hooks.store.writing() as session:
        row = find_subscriber(session, subscriber)
        assert row is not None
        resume_subscriber(session, row, hooks.clock())
    assert hooks.sender.due() == [subscriber]
    hooks.serve(subscriber)

    assert before == []
    assert receiver.ids == ids


def test_what_is_killed_between_sending_and_committing_is_sent_again_under_the_same_id(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    (event,) = hooks.tell("L1")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(WebhookSender, "_settle", killed)
        with pytest.raises(Killed):
            hooks.sender.serve(subscriber, 5)
    hooks.serve(subscriber)
    at_once = list(receiver.ids)
    hooks.wait(deliveries.LEASE_SECONDS + 1)
    hooks.serve(subscriber)

    assert at_once == [event]
    assert receiver.ids == [event, event]
    assert receiver.calls[0].body == receiver.calls[1].body
    assert hooks.states(subscriber) == {event: "delivered"}


def test_a_replay_sends_a_span_again_under_the_same_ids(hooks: Hooks, receiver: Receiver) -> None:
    before = hooks.tell("L1", "L1")
    subscriber, _ = hooks.subscribe(receiver.url)
    after = hooks.tell("L1")
    hooks.serve(subscriber)
    with hooks.store.writing() as session:
        row = find_subscriber(session, subscriber)
        assert row is not None
        first = replay(session, row, 0, 10, 2, hooks.clock())
        assert first == (2, 2)
        rest = replay(session, row, 2, 10, 2, hooks.clock())

    hooks.serve(subscriber)

    assert rest == (1, None)
    assert sorted(receiver.ids) == sorted([*after, *before, *after])
    with hooks.store.reading() as session:
        assert [len(attempts_of(session, key)) for key in (1, 2, 3)] in ([2, 1, 1], [1, 1, 2])


def test_a_test_event_is_sent_and_signed_like_any_other(hooks: Hooks, receiver: Receiver) -> None:
    hooks.clock = Clock(utc_now())
    subscriber, secret = hooks.subscribe(receiver.url)
    with hooks.store.writing() as session:
        make_test(session, subscriber, hooks.clock())

    hooks.serve(subscriber)

    (call,) = receiver.calls
    assert Webhook(secret).verify(call.body, call.headers)["type"] == "lineside.webhook.test.v1"


def test_no_more_is_made_ahead_than_a_bound_and_the_rest_follows(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "UNDELIVERED_MOST", 3)
    subscriber, _ = hooks.subscribe(receiver.url)
    ids = hooks.tell(*(f"L{number}" for number in range(8)))
    receiver.says(500)
    hooks.serve(subscriber)
    made = len(hooks.states(subscriber))

    receiver.says(200)
    receiver.calls.clear()
    hooks.wait(3_600)
    hooks.serve(subscriber)

    assert UNDELIVERED_MOST == 1_000
    assert made == 3
    assert sorted(receiver.ids) == sorted(ids)


def test_a_redirect_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    subscriber, _ = hooks.subscribe(receiver.url)
    hooks.tell("L1")
    receiver.says(302, Location=receiver.url + "/elsewhere")

    hooks.serve(subscriber)

    assert [call.path for call in receiver.calls] == ["/hook"]
    assert hooks.reasons() == ["it answered 302"]


def test_an_address_that_may_not_be_called_is_not_called_whatever_its_name_is(hooks: Hooks, receiver: Receiver) -> None:
    hooks.reach = Reach(("localhost",))
    subscriber, _ = hooks.subscribe(receiver.url.replace("127.0.0.1", "localhost"))
    hooks.tell("L1")
    hooks.reach = Reach(("somewhere.example",))

    hooks.serve(subscriber)
    refused = hooks.reasons()
    hooks.reach = Reach(("localhost",))
    hooks.wait(60)
    hooks.serve(subscriber)

    assert refused[0] is not None
    assert "topology" in refused[0]
    assert len(receiver.calls) == 1
    assert json.loads(receiver.calls[0].body)["type"] == "inventory.moved.v1"


def test_the_metrics_say_what_was_delivered_what_is_not_and_for_how_long(
    hooks: Hooks, receiver: Receiver, tmp_path: Path
) -> None:
    taker = f"taking-{hooks.store.engine.dialect.name}"  # counters are of the process
    taking, _ = hooks.subscribe(receiver.url, taker)
    waiting, _ = hooks.subscribe(receiver.url, "waiting")
    hooks.tell("L1", "L2")
    hooks.serve(taking)
    with hooks.store.writing() as session:
        make_test(session, waiting, hooks.clock())
        make_test(session, waiting, hooks.clock())
    hooks.wait(90)

    client = web_app(hooks.store, tmp_path, clock=hooks.clock).test_client()
    told = client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text.splitlines()

    assert {line for line in told if line.startswith("lineside_webhook") and "created" not in line} >= {
        f'lineside_webhook_deliveries_total{{state="delivered",subscriber="{taker}"}} 2.0',
        f'lineside_webhook_undelivered{{subscriber="{taker}"}} 0.0',
        'lineside_webhook_undelivered{subscriber="waiting"} 2.0',
        f'lineside_webhook_oldest_undelivered_seconds{{subscriber="{taker}"}} 0.0',
        'lineside_webhook_oldest_undelivered_seconds{subscriber="waiting"} 90.0',
    }
