"""What happened to a message can be found in the logs by its id."""

from __future__ import annotations

from structlog.testing import capture_logs

from app.errors import Refused, Transient
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock


def test_every_step_and_every_failure_names_its_messages(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("target_refused", "a secret place"), Transient("busy"), None]
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)

    with capture_logs() as logs:
        numbers = []
        for name in ("m1", "m2", "m3"):
            numbers += accept(store, move_event(name, lot=name))
            run_once(line)
    refused, busy, posted = numbers

    told = [(line["event"], line.get("done"), line.get("message_ids") or line.get("message_id")) for line in logs]
    for number in (refused, busy, posted):
        assert ("messages_moved", "transform", [number]) in told
        assert ("messages_moved", "enrich", [number]) in told
    assert ("messages_moved", "post", [posted]) in told
    assert ("message_dies", None, refused) in told
    assert ("message_is_retried", None, busy) in told
    assert all(line["plant"] == "P100" for line in logs)
    assert "secret" not in str(logs)
