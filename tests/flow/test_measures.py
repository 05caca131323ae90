"""What the business measures: each message once whatever is killed, on the plant's own day, and the same built anew."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from app.business_exceptions.acts import resolve
from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions
from app.dead_letters.repair import discard, requeue
from app.errors import Refused
from app.inbox.states import Move, State, move_messages
from app.pipeline.backlog_age import look_at_backlogs
from app.projections import measuring
from app.projections.buckets import BOUNDS, bucket_of, percentile
from app.projections.effects import is_anything_left
from app.projections.measures import Group, Question, Sums, durations_of, outcomes_of, read_measures, read_totals
from app.projections.measuring import Counted, Lasted, Yardstick
from app.projections.processes import Process, process_of
from app.projections.projector import project, rebuild
from app.store.ledger_tables import Effect
from app.store.messages_tables import MessageDocument
from app.store.session import Store
from mappings.canonical.registry import SCHEMAS
from tests.factories import NOON, accept, completion, demo_topology, incoming, know_items, move_event, pipeline, release
from tests.factories import run_once as run
from tests.fakes import Books, Clock, Killed
from tests.flow.test_what_dead_letters_hold_up import shipment

pytestmark = pytest.mark.slow

BERLIN = Yardstick({"P100": ZoneInfo("Europe/Berlin")}, level_seconds=60.0)


def measured(
    store: Store, by_day: bool = False, first: date = date(2026, 1, 1), last: date = date(2026, 12, 31)
) -> dict[tuple[Any, ...], Sums]:
    asked = Question(["P100", "P200", ""], (), first, last, by_plant=False, by_day=by_day)
    with store.reading() as session:
        found = read_measures(session, asked)
    return {(g.process, *((g.measured_on,) if by_day else ())): sums for g, sums in found.items()}


def settle(store: Store, yardstick: Yardstick = BERLIN) -> None:
    assert not project(store, lambda: NOON, 30.0, yardstick).goes_on


def plain(found: dict[Any, Sums]) -> dict[Any, Any]:
    return {
        key: (dict(sums.counts), {name: dict(h) for name, h in sums.histograms.items()}) for key, sums in found.items()
    }


def posted(store: Store, *messages: Any, after_seconds: float = 30.0, at: datetime = NOON) -> list[int]:
    ids = accept(store, *messages, at=at)
    run(pipeline(store, {"erp": Books()}, clock=Clock(at + timedelta(seconds=after_seconds))))
    return ids


def test_how_long_it_took_from_the_event_and_from_acceptance_is_measured_by_process(store: Store) -> None:
    know_items(store)
    posted(store, move_event("m1", at="2026-03-02T11:59:00Z"), shipment("s1", "D-1"))

    settle(store)

    found = measured(store)
    assert set(found) == {("inventory",), ("shipping",)}
    moved = found["inventory",]
    assert moved.count(Counted.POSTED) == 1
    assert moved.histogram(Lasted.ACCEPTED_TO_POSTED) == {bucket_of(30.0): 1}
    assert moved.histogram(Lasted.EVENT_TO_POSTED) == {bucket_of(90.0): 1}


def test_a_message_that_moves_no_stock_is_measured_too(store: Store) -> None:
    described = {"event_time": "2026-03-02T11:00:00Z", "item": "X", "description": "X", "base_uom": "EA"}
    posted(store, incoming("i1", "item.changed.v1", described))

    settle(store)

    assert measured(store)["master_data",].count(Counted.POSTED) == 1


@pytest.mark.parametrize(("after", "within", "beyond"), [(60.0, 1, 0), (60.5, 0, 1)])
def test_the_service_level_is_kept_up_to_its_very_end(store: Store, after: float, within: int, beyond: int) -> None:
    know_items(store)
    posted(store, move_event(), after_seconds=after)

    settle(store)

    sums = measured(store)["inventory",]
    assert (sums.count(Counted.WITHIN_LEVEL), sums.count(Counted.BEYOND_LEVEL)) == (within, beyond)


def test_without_a_service_level_none_is_told(store: Store) -> None:
    know_items(store)
    posted(store, move_event())

    settle(store, Yardstick(BERLIN.zones))

    assert Counted.WITHIN_LEVEL.value not in measured(store)["inventory",].counts


# 2026-03-29 01:00 UTC the clocks of Berlin go forward, 2026-10-25 01:00 UTC they go back.
DAYS = [
    ("2026-03-02T22:59:59Z", "2026-03-02"),
    ("2026-03-02T23:00:00Z", "2026-03-03"),
    ("2026-03-28T22:59:59Z", "2026-03-28"),
    ("2026-03-29T21:59:59Z", "2026-03-29"),
    ("2026-03-29T22:00:00Z", "2026-03-30"),
    ("2026-10-24T22:00:00Z", "2026-10-25"),
    ("2026-10-25T22:59:59Z", "2026-10-25"),
    ("2026-10-25T23:00:00Z", "2026-10-26"),
]


def test_a_day_is_the_plants_own_when_its_clock_is_turned_too(sqlite_store: Store) -> None:
    know_items(sqlite_store)
    for number, (moment, _) in enumerate(DAYS):
        posted(sqlite_store, move_event(f"m{number}"), after_seconds=0, at=datetime.fromisoformat(moment))

    settle(sqlite_store)

    found = measured(sqlite_store, by_day=True)
    counted = {day: sums.count(Counted.POSTED) for (_, day), sums in found.items()}
    assert counted == Counter(date.fromisoformat(day) for _, day in DAYS)


def test_a_portion_that_is_killed_before_it_is_committed_counts_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_items(store)
    posted(store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(5)), shipment("s1", "D-1"))
    write = measuring.Tally.write

    def killed(tally: measuring.Tally, session: Any) -> None:
        write(tally, session)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(measuring.Tally, "write", killed)
        for _ in range(2):
            with pytest.raises(Killed):
                settle(store)
    between = measured(store)

    settle(store)
    settle(store)

    assert between == {}
    assert measured(store)["inventory",].count(Counted.POSTED) == 5
    assert measured(store)["shipping",].count(Counted.POSTED) == 1


def test_what_a_person_had_to_act_on_is_told_and_what_went_by_itself_is_not(store: Store) -> None:
    know_items(store)
    clock = Clock(NOON)
    books = Books()
    line = pipeline(store, {"erp": books}, clock=clock)
    by_hand, left, _ = accept(store, move_event("m1", lot="L1"), move_event("m2", lot="L2"), move_event("m3", lot="L3"))
    books.before = [Refused("no", "No."), Refused("no", "No.")]
    run(line)
    clock.pass_time(600)
    with store.writing() as session:
        requeue(session, [by_hand], "kim", clock())
    run(line)
    clock.pass_time(600)
    with store.writing() as session:
        discard(session, [left], "kim", "lost", clock())

    settle(store)

    sums = measured(store)["inventory",]
    counts = {each.value: sums.count(each) for each in Counted if sums.count(each)}
    assert counts == {
        "posted": 2,
        "discarded": 1,
        "handled": 2,
        "died": 2,
        "settled": 2,
        "within_level": 1,
        "beyond_level": 1,
    }
    assert sums.histogram(Lasted.RESOLUTION) == {bucket_of(600.0): 1, bucket_of(1200.0): 1}


def test_one_that_dies_again_died_once_and_its_trouble_lasts_from_its_first_death(store: Store) -> None:
    know_items(store)
    [key] = accept(store, move_event("m1"))
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock=clock)
    for _ in range(2):
        with store.writing() as session:
            move_messages(session, [Move(key, State.DEAD, reason_code="no", reason="No.")], clock())
        clock.pass_time(3_600)
        with store.writing() as session:
            requeue(session, [key], "kim", clock())
    run(line)

    settle(store)

    found = measured(store)
    died = sum(sums.count(Counted.DIED) for sums in found.values())
    assert died == 1
    assert found["inventory",].histogram(Lasted.RESOLUTION) == {bucket_of(7_200.0): 1}


def test_business_exceptions_are_raised_and_resolved_on_their_days(store: Store) -> None:
    later = NOON + timedelta(days=1)
    with store.writing() as session:
        causes = [
            Cause("silent", key, key, "warning", "Silent.", plant=plant) for key, plant in (("a", "P100"), ("b", ""))
        ]
        raise_exceptions(session, causes, NOON)
        raise_exceptions(session, causes, NOON + timedelta(hours=1))
    with store.writing() as session:
        assert resolve(session, 1, "kim", "It speaks.", later)
        assert not resolve(session, 1, "kim", "It speaks.", later)
        assert close_exceptions(session, [1, 2], "gone", later) == 1

    settle(store)

    found = measured(store, by_day=True)
    assert found["other", NOON.date()].counts == {"raised": 2}
    assert found["other", later.date()].counts == {"resolved": 2}
    assert found["other", later.date()].histogram(Lasted.RESOLUTION) == {bucket_of(86_400.0): 2}


def test_built_anew_the_measures_are_the_same(store: Store) -> None:
    know_items(store)
    clock, books = Clock(NOON), Books()
    line = pipeline(store, {"erp": books}, clock=clock)
    dead, lost, *_ = accept(
        store,
        move_event("m1", lot="L1"),
        move_event("m2", lot="L2"),
        move_event("m3", lot="L3"),
        release(),
        completion("c1"),
        shipment("s1", "D-1"),
    )
    books.before = [Refused("no", "No."), Refused("no", "No.")]
    run(line)
    clock.pass_time(600)
    run(line)
    with store.writing() as session:
        requeue(session, [dead], "kim", clock())
        discard(session, [lost], "kim", "lost", clock())
        raise_exceptions(session, [Cause("silent", "a", "a", "warning", "Silent.", plant="P100")], clock())
    run(line)
    settle(store)
    look_at_backlogs(line)
    before, total = plain(measured(store, by_day=True)), plain(totals(store))
    accept(store, move_event("m9", lot="L9"))
    run(line)  # posted and not entered yet when it is built anew

    rebuild(store, NOON)
    assert rebuild(store, NOON) is not None
    settle(store)

    after = plain(measured(store, by_day=True))
    assert sum(counts["posted"] for counts, _ in before.values() if "posted" in counts) == 5
    assert after.pop(("inventory", NOON.date())) != before.pop(("inventory", NOON.date()))
    assert after == before
    assert plain(totals(store)) != total
    assert measured(store)["inventory",].count(Counted.POSTED) == 3
    with store.reading() as session:
        assert not is_anything_left(session)


def totals(store: Store) -> dict[Any, Sums]:
    with store.reading() as session:
        return dict(sorted(read_totals(session).items()))


def test_totals_are_the_sum_of_all_days(store: Store) -> None:
    know_items(store)
    for number in range(3):
        posted(store, move_event(f"m{number}"), at=NOON + timedelta(days=number))

    settle(store)

    assert outcomes_of(totals(store))["P100", "inventory", "posted"] == 3
    assert durations_of(totals(store))["P100", "inventory", "accepted_to_posted"][-1] == ("+Inf", 3)


TORN = ["torn", [], [{"type": 7, "data": {"event_time": "2026-03-02T09:00:00Z"}}], [{"type": "inventory.moved.v1"}]]
TORN += [[{"type": "inventory.moved.v1", "data": {"event_time": "2026-03-02"}}], {"type": 1}]


def test_torn_documents_are_measured_as_posted_once_and_stop_nobody(store: Store) -> None:
    know_items(store)
    ids = posted(store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(len(TORN) + 1)))
    with store.writing() as session:
        for key, body in zip(ids, TORN, strict=False):
            torn = select(MessageDocument).where(MessageDocument.message_id == key, MessageDocument.step == "enriched")
            session.scalars(torn).one().body = body

    settle(store)
    settle(store)

    found = measured(store)
    assert sum(sums.count(Counted.POSTED) for sums in found.values()) == len(TORN) + 1
    assert sum(found["inventory",].histogram(Lasted.EVENT_TO_POSTED).values()) == 1


def test_what_took_effect_twice_in_the_table_is_measured_as_it_is_noted(store: Store) -> None:
    """An effect that is only entered again is not measured again."""
    know_items(store)
    [key] = posted(store, move_event("m1"))
    settle(store)
    with store.writing() as session:
        session.execute(insert(Effect).values(message_id=key, undo=False, at=NOON, measured=True))

    settle(store)

    assert measured(store)["inventory",].count(Counted.POSTED) == 1


def test_how_old_the_backlog_was_is_looked_at_once_a_minute(store: Store) -> None:
    accept(store, move_event("m1"))
    clock = Clock(NOON + timedelta(minutes=10))
    line = pipeline(store, {"erp": Books()}, clock=clock)

    looks = [look_at_backlogs(line), look_at_backlogs(line)]
    clock.pass_time(61)
    looks.append(look_at_backlogs(line))

    assert looks == [True, False, True]
    ages = measured(store)["all",].histogram(Lasted.BACKLOG_AGE)
    assert sum(ages.values()) == 4  # two plants, two minutes
    assert percentile(ages, 100) == BOUNDS[bucket_of(661.0)]


def test_a_span_is_added_up_by_what_is_asked_for(store: Store) -> None:
    know_items(store)
    posted(store, move_event("m1"), shipment("s1", "D-1"))
    posted(store, move_event("m2"), at=NOON + timedelta(days=1))
    settle(store)
    asked = Question(["P100"], (), NOON.date(), NOON.date() + timedelta(days=1), by_process=False)

    with store.reading() as session:
        together = read_measures(session, asked)
        nothing = read_measures(session, Question(["P200"], (), NOON.date(), NOON.date()))

    assert {group: sums.count(Counted.POSTED) for group, sums in together.items()} == {Group("P100", None, None): 3}
    assert nothing == {}


def test_every_canonical_type_belongs_to_a_process() -> None:
    assert {kind for kind in SCHEMAS if process_of(kind) is Process.OTHER} == set()
    assert process_of("mes.move") is process_of(None) is Process.OTHER


def test_a_plant_that_the_topology_lost_is_measured_by_utc() -> None:
    yardstick = Yardstick.of(demo_topology())

    assert yardstick.day_of("P100", datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == date(2026, 3, 3)
    assert yardstick.day_of("GONE", datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == date(2026, 3, 2)
