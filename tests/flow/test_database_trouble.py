"""Trouble of the database is nobody's fault: what it could not save comes again, and no message dies of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from app.pipeline import enrich, straight_on, transform
from app.pipeline.enrich import enrich_due
from app.pipeline.transform import transform_due
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states

_REFUSE = """
CREATE FUNCTION disk_is_full() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$ LANGUAGE plpgsql
"""


@contextmanager
def full_disk(store: Store, table: str = "documents") -> Iterator[None]:
    """The database's files can grow no more; what fits into them is still written. PostgreSQL says so for one table."""
    if store.is_sqlite:
        with store.reading() as session:
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
        listener = lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}")  # noqa: E731
        event.listen(store.engine, "connect", listener)
        store.dispose()
        yield
        event.remove(store.engine, "connect", listener)
        store.dispose()
        return
    with store.writing() as session:
        session.execute(text(_REFUSE))
        session.execute(
            text(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION disk_is_full()")
        )
    yield
    with store.writing() as session:
        session.execute(text(f"DROP TRIGGER full_disk ON {table}"))


def test_a_full_disk_is_counted_against_no_message(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(30)))
    line = pipeline(store, {"erp": books}, clock)

    with full_disk(store):
        for _ in range(8):
            assert transform_due(line, "P100", 200) == []
            clock.pass_time(11)
    during = {(message(store, key).state, message(store, key).attempts, message(store, key).lease_token) for key in ids}
    run_once(line)

    assert during == {("received", 0, None)}
    assert set(states(store, *ids)) == {"posted"}


@pytest.mark.parametrize("step", ["transform", "enrich"])
def test_a_value_that_cannot_be_saved_kills_its_own_message_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{number}") for number in range(40)))
    bad = ids[17]
    module = {"transform": transform, "enrich": enrich}[step]
    healthy = module.save_documents

    def save_documents(session: object, documents: dict[int, object], *rest: object) -> None:
        healthy(session, {key: object() if key == bad else body for key, body in documents.items()}, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "save_documents", save_documents)
    line = pipeline(store, {"erp": books}, clock)
    transform_due(line, "P100", 100)
    enrich_due(line, "P100", 100)
    run_once(line)

    assert [key for key, state in zip(ids, states(store, *ids), strict=True) if state != "posted"] == [bad]
    assert message(store, bad).reason_code == "internal_error"


def test_a_row_that_the_database_alone_refuses_is_told_from_a_database_that_takes_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{number}") for number in range(10)))
    healthy = straight_on.save_transformed

    def save(session: object, results: dict[int, object], now: object) -> None:
        healthy(session, results, now)  # type: ignore[arg-type]
        if ids[3] in results:
            session.execute(text("INSERT INTO no_such_table VALUES (1)"))  # type: ignore[attr-defined]

    monkeypatch.setattr(straight_on, "save_transformed", save)
    run_once(pipeline(store, {"erp": books}, clock))

    assert [key for key, state in zip(ids, states(store, *ids), strict=True) if state != "posted"] == [ids[3]]
