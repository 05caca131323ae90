"""What needs nothing but what is known already goes through in two transactions for each of two links, and its timeline
tells every state that it passed; whatever else it may be is left to the second step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.straight_on import transform_straight_on
from app.store.session import Store
from config.queues import ENRICH, POST
from tasks import pipeline as links
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline
from tests.fakes import Books, Clock
from tests.reading import message, states, timeline

pytestmark = pytest.mark.slow


def commits(store: Store, begin: Any) -> int:
    seen: list[int] = []
    event.listen(store.engine, "commit", lambda _connection: seen.append(1))
    begin()
    return len(seen)


def test_a_message_alone_takes_two_commits_until_it_is_enriched_and_two_until_it_is_posted(store: Store) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()}, Clock(NOON))
    (first,) = accept(store, move_event("m1"))

    assert commits(store, lambda: transform_straight_on(line, "P100", 1)) == 2
    assert states(store, first) == ["enriched"]
    assert commits(store, lambda: post_due(line, "P100", 25)) == 2
    assert states(store, first) == ["posted"]
    assert timeline(store, first) == ["received", "transformed", "enriched", "posted"]


def test_what_waits_for_its_item_is_left_to_the_second_step(store: Store) -> None:
    line = pipeline(store, {"erp": Books()}, Clock(NOON))
    (first,) = accept(store, move_event("m1"))

    done = transform_straight_on(line, "P100", 25)

    assert (done.ids, done.enriched, done.left, done.claimed) == ([first], set(), 1, 1)
    assert states(store, first) == ["transformed"]
    enrich_due(line, "P100", 25)
    assert message(store, first).waiting_for == "item:WHEEL-10"


@pytest.mark.parametrize(
    ("arrives", "goes_on_to"),
    [("nothing", []), ("plain", [POST]), ("waiting", [POST, ENRICH])],
)
def test_a_permit_goes_on_to_the_links_that_have_something_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch, arrives: str, goes_on_to: list[str]
) -> None:
    know_items(store)
    if arrives != "nothing":
        accept(store, move_event("m1") if arrives == "plain" else completion("m1"))
    line = pipeline(store, {"erp": Books()}, Clock(NOON))
    here = SimpleNamespace(pipeline=line, settings=SimpleNamespace(batch_size=200), dispatcher=None)
    monkeypatch.setattr(links, "workplace", lambda: here)
    chain = [{"task": POST}, {"task": ENRICH}]

    links.transform.push_request(chain=chain)
    try:
        links.transform.run("P100", 1)
    finally:
        links.transform.pop_request()

    assert [link["task"] for link in chain] == goes_on_to
