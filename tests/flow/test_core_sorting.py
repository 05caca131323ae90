"""The order of a key is the same whatever the country that a database sorts for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.errors import Transient
from app.inbox.lanes import ensure_lanes
from app.store.migrate import upgrade
from app.store.session import Store
from tests.factories import NOON, accept, demo_topology, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.services import postgres_database

pytestmark = pytest.mark.services


@pytest.fixture
def american_store() -> Iterator[Store]:
    """A PostgreSQL database that sorts ``b`` before ``C``."""
    with postgres_database("LOCALE_PROVIDER icu ICU_LOCALE 'en-US' TEMPLATE template0") as url:
        store = Store(url)
        upgrade(store)
        with store.writing() as session:
            ensure_lanes(session, [(plant.code, plant.lanes) for plant in demo_topology().plants.values()])
        yield store
        store.dispose()


def test_sequences_of_letters_hold_each_other_as_they_are_sorted(american_store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("busy")]
    know_items(american_store)
    line = pipeline(american_store, {"erp": books}, clock)
    key = {"ordering_key": "K", "attributes": {"partitionkey": "K"}}

    accept(
        american_store,
        move_event("third", at="2026-03-02T08:02:00Z", sequence="b", **key),
        move_event("first", at="2026-03-02T08:00:00Z", sequence="C", **key),
    )
    run_once(line)
    accept(american_store, move_event("second", at="2026-03-02T08:01:00Z", sequence="D", **key))
    for _ in range(6):
        run_once(line)
        clock.pass_time(60)

    times = [document["data"]["event_time"] for document in books.documents]
    assert times == ["2026-03-02T08:00:00Z", "2026-03-02T08:01:00Z", "2026-03-02T08:02:00Z"]
