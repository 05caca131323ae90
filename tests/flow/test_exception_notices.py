"""Owners are told of business exceptions: once each, up the steps, by signed webhooks, and never in a storm."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook

from app.business_exceptions import sending
from app.business_exceptions.acts import acknowledge, resolve
from app.business_exceptions.channels import Channels
from app.business_exceptions.notices import DIGEST_EVERY
from app.business_exceptions.sending import CLAIM_SECONDS, TRIES_MOST, NotDelivered
from app.store.exception_tables import BusinessException, ExceptionNotice
from app.store.session import Store
from config.exception_policy import Channel, ExceptionPolicy, Owner
from config.settings import load_settings
from tests.exception_desk import POLICY, Desk, owner
from tests.fakes import Killed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_an_owner_is_told_once_and_of_the_end(desk: Desk) -> None:
    desk.raise_("line 1")
    desk.tell()
    desk.raise_("line 1")
    desk.tell(1)
    desk.close("line 1")
    desk.tell(1)
    desk.tell(60)

    assert desk.fake.told == [("shift", "raised"), ("shift", "resolved")]
    assert desk.fake.sent[1][2]["data"]["resolution"] == "It spoke."


def test_what_nobody_acknowledges_goes_up_step_by_step_and_all_hear_of_its_end(desk: Desk) -> None:
    desk.raise_("line 1")
    desk.tell()

    desk.tell(29.9)
    before = list(desk.fake.told)
    desk.tell(0.2)
    desk.tell(59.8)
    desk.tell(0.2)
    desk.tell(600)
    desk.close("line 1")
    desk.tell()

    assert before == [("shift", "raised")]
    assert desk.fake.told[1:3] == [("lead", "escalated"), ("plant", "escalated")]
    assert sorted(desk.fake.told[3:]) == [("lead", "resolved"), ("plant", "resolved"), ("shift", "resolved")]


def test_what_is_acknowledged_goes_up_no_further(desk: Desk) -> None:
    desk.raise_("line 1")
    desk.tell()
    with desk.store.writing() as session:
        assert acknowledge(session, 1, "otto", None, desk.clock())

    desk.tell(600)

    assert desk.fake.told == [("shift", "raised")]


def test_a_person_who_resolves_before_it_is_told_is_told_nothing(desk: Desk) -> None:
    desk.raise_("line 1")
    with desk.store.writing() as session:
        assert resolve(session, 1, "otto", "A test.", desk.clock())

    desk.tell()

    assert desk.fake.sent == []


def test_a_cause_that_comes_and_goes_is_a_new_exception_and_not_told_again_in_its_quiet_time(desk: Desk) -> None:
    desk.raise_("line 1")
    desk.tell()
    desk.close("line 1")
    desk.tell(1)
    desk.raise_("line 1")
    desk.tell(1)
    desk.close("line 1")
    desk.raise_("line 1")
    desk.tell(57)
    within = list(desk.fake.told)

    desk.tell(2)

    assert within == [("shift", "raised"), ("shift", "resolved")]
    assert desk.fake.told[2:] == [("shift", "raised")]
    assert desk.fake.sent[-1][2]["data"]["id"] == 3


def test_many_at_once_are_one_digest_and_the_next_waits(desk: Desk) -> None:
    desk.raise_(*(f"line {number}" for number in range(40)))
    desk.tell()
    desk.raise_(*(f"more {number}" for number in range(10)))
    desk.tell(1)
    first = list(desk.fake.sent)

    desk.tell(DIGEST_EVERY.total_seconds() / 60)

    (digest,) = (body for _, _, body in first)
    assert (digest["type"], digest["data"]["count"]) == ("exception.digest", 40)
    assert (len(digest["data"]["exceptions"]), digest["data"]["more"]) == (20, 20)
    assert [body["data"]["count"] for _, _, body in desk.fake.sent[1:]] == [10]


@pytest.mark.slow
def test_a_trickle_becomes_digests_too(desk: Desk) -> None:
    for number in range(45):
        desk.raise_(f"line {number}")
        desk.tell(1)

    kinds = [kind for _, kind in desk.fake.told]

    assert kinds.count("raised") == 30
    assert 1 <= kinds.count("digest") <= 2


@pytest.mark.parametrize("taken", [True, False], ids=["it was taken", "it was not"])
def test_a_worker_killed_between_sending_and_noting_sends_twice_at_most_under_one_id(desk: Desk, taken: bool) -> None:
    desk.raise_("line 1")
    desk.fake.raises = [Killed() if taken else NotDelivered("answered 503")]
    if taken:
        with pytest.raises(Killed):
            desk.tell()
    else:
        desk.tell()

    at_once = desk.tell()
    desk.tell(CLAIM_SECONDS / 60)
    desk.tell(600)

    raised = [(ident, body) for _, ident, body in desk.fake.sent if body["type"] == "exception.raised"]
    assert at_once == 0
    assert len(raised) == (2 if taken else 1)
    assert len({ident for ident, _ in raised}) == 1
    assert all(body == raised[0][1] for _, body in raised)


def test_what_cannot_be_told_is_tried_less_and_less_often_then_dead_and_itself_an_exception(desk: Desk) -> None:
    policy = replace(POLICY, owners={"shift": owner("shift")})
    here = Desk(desk.store, policy)
    here.raise_("line 1")
    here.fake.raises = [NotDelivered("answered 503")] * TRIES_MOST
    here.tell()

    pauses = []
    while here.notices()[0].state == "waiting":
        (notice,) = here.notices()
        pauses.append((notice.due_at - here.clock()).total_seconds())
        here.clock.now = notice.due_at
        here.tell()

    assert pauses == [30, 60, 120, 240, 480, 960, 1920]
    with here.store.reading() as session:
        dead = session.scalars(select(BusinessException).where(BusinessException.rule == "notice_not_delivered")).one()
    assert (dead.owner, dead.object_id) == (None, "shift/shift")
    assert "answered 503" in dead.message
    here.raise_("line 2")
    here.tell()
    with here.store.reading() as session:
        assert session.get_one(BusinessException, dead.id).resolution == "A later notice was taken."


def test_a_target_that_is_gone_for_good_is_not_tried_again(desk: Desk) -> None:
    desk.raise_("line 1")
    desk.fake.raises = [NotDelivered("answered 410", is_final=True)]

    desk.tell()

    assert [(one.state, one.tries) for one in desk.notices()] == [("dead", 1)]


class Hook:
    """A receiver of webhooks on a real port; ``answers`` holds the next statuses."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []


@contextmanager
def receiving(hook: Hook) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append((dict(self.headers), body))
            self.send_response(hook.answers.pop(0) if hook.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_a_webhook_is_signed_as_the_standard_has_it_and_a_retry_has_the_same_id(store: Store, tmp_path: Path) -> None:
    hook = Hook()
    hook.answers = [503]
    settings = load_settings({"LINESIDE_HOME": str(tmp_path), "LINESIDE_SECRET_HOOK": SECRET})
    with receiving(hook) as url, structlog.testing.capture_logs() as logs:
        channel = Channel("webhook 127.0.0.1", webhook=url, secret="hook", timeout_seconds=5)
        policy = ExceptionPolicy(owner="shift", owners={"shift": Owner("shift", (channel,))})
        here = Desk(store, policy)
        here.raise_("line 1", messages=[7, 8])
        sender = Channels(policy, settings)
        assert here.tell(sender=sender) == 0
        with store.writing() as session:
            session.execute(update(ExceptionNotice).values(due_at=here.clock()))
        assert here.tell(sender=sender) == 1

    verified = [Webhook(SECRET).verify(body, headers) for headers, body in hook.got]
    assert [headers["webhook-id"] for headers, _ in hook.got] == [here.notices()[0].webhook_id] * 2
    assert [one["data"]["messages"] for one in verified] == [{"ids": [7, 8], "more": 0}] * 2
    assert SECRET not in str(logs)
    assert url not in str(logs)


def test_a_webhook_without_its_secret_waits_and_says_which_variable_is_missing(store: Store, tmp_path: Path) -> None:
    channel = Channel("webhook x", webhook="http://127.0.0.1:9", secret="hook")
    policy = ExceptionPolicy(owner="shift", owners={"shift": Owner("shift", (channel,))})
    here = Desk(store, policy)
    here.raise_("line 1")

    here.tell(sender=Channels(policy, load_settings({"LINESIDE_HOME": str(tmp_path)})))

    (notice,) = here.notices()
    assert (notice.state, notice.trouble) == ("waiting", "the secret is not set; set LINESIDE_SECRET_HOOK")


def test_a_notice_whose_worker_came_back_late_is_not_noted_over_the_next_one(desk: Desk) -> None:
    """The slow one is overtaken after its claim; what it says of its own try changes nothing then."""
    desk.raise_("line 1")

    class Slow:
        def send(self, *_: Any) -> None:
            desk.clock.pass_time(CLAIM_SECONDS + 1)
            assert sending.send_notices(desk.store, desk.policy, desk.fake, desk.clock) == 1
            raise NotDelivered("no whole answer within 10 seconds", is_final=True)

    desk.tell(sender=Slow())

    assert [(one.state, one.tries) for one in desk.notices()] == [("sent", 2)]
    assert timedelta(0) <= desk.notices()[0].ended_at - desk.notices()[0].created_at  # type: ignore[operator]
