"""The feed tells every event that took effect, once, in one order that passes nothing over."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from app.dead_letters.reversal import reverse
from app.errors import Transient
from app.pipeline.context import Pipeline
from app.projections.effects import note_effects
from app.projections.feed_reading import COMPENSATED, FeedFilter, Told, newest_position, read_feed
from app.projections.projector import project, rebuild
from app.store.feed_tables import FeedEntry
from app.store.ledger_tables import Effect
from app.store.messages_tables import MessageDocument
from app.store.session import Store
from app.web.feed import Span
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.flow.test_corrections_restate import corrected
from tests.reading import states

ALL = FeedFilter()


@pytest.fixture
def line(store: Store) -> Pipeline:
    know_items(store)
    return pipeline(store, {"erp": Books()})


def _post(line: Pipeline, *messages: Any) -> list[int]:
    ids = accept(line.store, *messages)
    for _ in range(3):
        run_once(line)
    return ids


def _project(store: Store) -> None:
    assert not project(store, lambda: NOON, 30.0).goes_on


def _pages(store: Store, chosen: FeedFilter = ALL) -> list[Sequence[Told]]:
    with store.reading() as session:
        span = Span(0, newest_position(session))
    return list(span.pages(store, chosen, 1_000))


def _told(store: Store, chosen: FeedFilter = ALL) -> list[tuple[str, str]]:
    return [(told.webhook_id, told.cloud_event["type"]) for page in _pages(store, chosen) for told in page]


def _reverse(line: Pipeline, message_id: int) -> None:
    with line.store.writing() as session:
        reverse(session, message_id, "wrong lot", "ada", NOON, line.topology.lanes_of)
    run_once(line)


def test_what_took_effect_is_told_once_in_its_order_also_what_moves_no_stock(store: Store, line: Pipeline) -> None:
    changed = {"event_time": "2026-03-02T07:00:00Z", "equipment_id": "PRESS-1", "from": "idle", "to": "running"}
    ids = _post(line, release(), completion(), incoming("e1", "equipment.state.changed.v1", changed))

    _project(store)

    types = {"production.order.released.v1", "production.completed.v1", "equipment.state.changed.v1"}
    assert {kind for _, kind in _told(store)} == types
    assert sorted(name for name, _ in _told(store)) == [f"{key}-0" for key in ids]


def test_an_event_is_told_as_a_whole_cloud_event(store: Store, line: Pipeline) -> None:
    (key,) = _post(line, move_event(lot="L1"))
    _project(store)

    with store.reading() as session:
        (told,) = read_feed(session, 0, 10, ALL).events

    data = told.cloud_event["data"]
    assert told.cloud_event | {"data": None} == {
        "specversion": "1.0",
        "id": f"{key}-0",
        "source": "/lineside/plants/P100",
        "type": "inventory.moved.v1",
        "time": "2026-03-02T09:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "/v1/schemas/inventory.moved.v1",
        "plant": "P100",
        "sender": "mes",
        "messageid": str(key),
        "feedposition": str(told.position),
        "partitionkey": "lot:L1",
        "data": None,
    }
    assert (data["item"], data["lot"], data["quantity"]) == ("WHEEL-10", "L1", {"value": "2", "uom": "EA"})


def test_a_reversal_is_told_by_an_event_of_its_own(store: Store, line: Pipeline) -> None:
    (key,) = _post(line, move_event())
    _project(store)

    _reverse(line, key)
    _project(store)

    assert _told(store) == [(f"{key}-0", "inventory.moved.v1"), (f"{key}-0-compensated", COMPENSATED)]


def test_what_was_reversed_before_it_was_told_is_told_with_its_reversal(store: Store, line: Pipeline) -> None:
    (key,) = _post(line, move_event())

    _reverse(line, key)
    _project(store)

    assert [name for name, _ in _told(store)] == [f"{key}-0", f"{key}-0-compensated"]


def test_projections_that_are_built_anew_tell_nothing_a_second_time(store: Store, line: Pipeline) -> None:
    one, other = _post(line, move_event(), move_event("m2"))
    _project(store)
    before = _told(store)
    _reverse(line, other)

    rebuild(store, NOON)
    _project(store)

    assert [name for name, _ in before] == [f"{one}-0", f"{other}-0"]
    assert _told(store) == [*before, (f"{other}-0-compensated", COMPENSATED)]


def test_a_filter_lets_pass_what_it_names_and_its_reversals(store: Store, line: Pipeline) -> None:
    moved, _, _ = _post(line, move_event(), release(), completion())
    _project(store)
    _reverse(line, moved)
    _project(store)

    by_item = [name for name, _ in _told(store, FeedFilter(items=["WHEEL-10"]))]

    assert by_item == [f"{moved}-0", f"{moved}-0-compensated"]
    assert _told(store, FeedFilter(types=["inventory.moved.v1"])) == _told(store, FeedFilter(items=["WHEEL-10"]))
    assert _told(store, FeedFilter(plants=["P200"])) == []
    assert len(_told(store, FeedFilter(plants=["P100"]))) == 4


def test_a_page_ends_before_it_holds_too_much_and_the_next_goes_on_there(
    store: Store, line: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.projections.feed_reading.CHARACTERS_MOST", 900)
    ids = _post(line, *(move_event(f"m{number}") for number in range(7)))
    _project(store)

    pages = [[told.webhook_id for told in page] for page in _pages(store)]

    assert len(pages) > 2
    assert sorted(name for page in pages for name in page) == [f"{key}-0" for key in ids]


def test_a_filter_that_fits_nothing_moves_on_without_reading_the_whole_feed(
    store: Store, line: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.projections.feed_reading.LOOKED_AT_MOST", 3)
    _post(line, *(move_event(f"m{number}") for number in range(5)))
    _project(store)

    with store.reading() as session:
        first = read_feed(session, 0, 10, FeedFilter(types=["production.completed.v1"]))
        second = read_feed(session, first.position, 10, FeedFilter(types=["production.completed.v1"]))

    assert (first.events, first.is_more) == ([], True)
    assert (second.events, second.is_more) == ([], False)
    assert second.position > first.position


def test_an_event_whose_document_is_torn_is_told_once_it_can_be_read(store: Store, line: Pipeline) -> None:
    (key,) = _post(line, move_event())
    torn = update(MessageDocument).where(MessageDocument.message_id == key, MessageDocument.step == "enriched")
    with store.writing() as session:
        whole = session.scalar(select(MessageDocument.body).where(MessageDocument.step == "enriched"))
        session.execute(torn.values(body={"torn": True}))
    _project(store)
    assert _told(store) == []

    with store.writing() as session:
        session.execute(torn.values(body=whole))
    rebuild(store, NOON)
    _project(store)

    assert [name for name, _ in _told(store)] == [f"{key}-0"]


WRITERS, EACH = 4, 20


@pytest.mark.slow
def test_a_reader_who_follows_the_feed_misses_nothing_while_many_write(store: Store, line: Pipeline) -> None:
    """Writers commit in any order, two workers enter side by side, and a reader asks all the time."""
    ids = _post(line, *(move_event(f"m{number}") for number in range(WRITERS * EACH)))
    with store.writing() as session:
        session.execute(Effect.__table__.delete())
    ended = threading.Event()
    seen: list[int] = []

    def write(mine: list[int]) -> None:
        for key in mine:
            with store.writing() as session:
                note_effects(session, [key], NOON)

    def enter() -> None:
        while not ended.is_set():
            project(store, lambda: NOON, 0.05)

    def follow() -> None:
        while not ended.is_set():
            seen.extend(_behind(store, seen[-1] if seen else 0))

    writers = [threading.Thread(target=write, args=(ids[start::WRITERS],)) for start in range(WRITERS)]
    others = [threading.Thread(target=run) for run in (enter, enter, follow)]
    for thread in [*writers, *others]:
        thread.start()
    for thread in writers:
        thread.join(60)
    ended.set()
    for thread in others:
        thread.join(60)
    _project(store)
    while rest := list(_behind(store, seen[-1] if seen else 0)):
        seen.extend(rest)

    with store.reading() as session:
        rows = session.execute(select(FeedEntry.position, FeedEntry.message_id).order_by(FeedEntry.position)).all()
    assert seen == [row.position for row in rows]
    assert sorted(row.message_id for row in rows) == sorted(ids)


def _behind(store: Store, position: int) -> Iterator[int]:
    with store.reading() as session:
        return iter([told.position for told in read_feed(session, position, 50, ALL).events])


def test_a_reversal_of_what_never_took_effect_is_not_told(store: Store) -> None:
    """One target holds a part of it and the other is not there yet when its correction comes: nobody was told of it,
    and nothing is taken back."""
    know_items(store)
    wms = Books()
    wms.before = [Transient("busy")] * 3
    line = pipeline(store, {"erp": Books(), "wms": wms}, clock := Clock(NOON))
    (wrong,) = accept(store, move_event("m1"))
    run_once(line)
    wrong_state = states(store, wrong)
    (right,) = accept(store, corrected(move_event("m2"), "m1"))
    for _ in range(8):
        run_once(line)
        clock.pass_time(10)

    _project(store)

    assert (wrong_state, states(store, wrong, right)) == (["waiting"], ["compensated", "posted"])
    assert _told(store) == [(f"{right}-0", "inventory.moved.v1")]


def test_an_adjustment_of_one_system_alone_is_not_told_when_it_is_reversed_either(store: Store, line: Pipeline) -> None:
    (alone,) = _post(line, move_event("m1", source="lineside-to/erp"))
    _reverse(line, alone)

    _project(store)

    assert states(store, alone) == ["compensated"]
    assert _told(store) == []
