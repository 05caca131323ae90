"""What a source owes and did not send is raised once, says what is missing, and closes when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from app.business_exceptions.acts import resolve
from app.business_exceptions.lookup import find_exception
from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions
from app.completeness.book import read_book
from app.completeness.keeping import keep_books, waive
from app.completeness.numbers import GAPS_MOST
from app.completeness.shifts import working_since
from app.inbox.sightings import sighting_of
from app.pipeline.relay import Relay
from app.store.completeness_tables import SourceNumbers
from app.store.exception_tables import BusinessException
from app.store.session import Store
from config.completeness import Completeness, Counting, Heartbeat, SequenceWatch, Shift
from config.topology import Plant, Topology
from tests.factories import NOON, accept, demo_topology, move_event, pipeline
from tests.fakes import Clock, NoBroker

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
SEQUENCE = Completeness(sequence=SequenceWatch())


def watched(owed: Completeness, *plants: Plant) -> Topology:
    topology = demo_topology()
    source = replace(topology.sources["mes"], completeness=owed)
    known = {**topology.plants, **{plant.code: plant for plant in plants}}
    return replace(topology, sources={"mes": source}, plants=known)


def send(store: Store, topology: Topology, numbers: Sequence[int], at: datetime = NOON, **fields: Any) -> None:
    source, plant = topology.sources["mes"], fields.pop("plant", "P100")
    messages = [
        move_event(f"{plant}-{n}", plant=plant, sighting=sighting_of(source, plant, str(n), None), **fields)
        for n in numbers
    ]
    accept(store, *messages, at=at)


def exceptions(store: Store) -> list[BusinessException]:
    with store.reading() as session:
        return list(session.scalars(select(BusinessException).order_by(BusinessException.id)))


def told(store: Store) -> list[tuple[str, str | None, str | None, str]]:
    return [(each.rule, each.missing_from, each.missing_to, each.state) for each in exceptions(store)]


def test_a_gap_is_raised_once_after_the_grace_time_shrinks_and_closes_by_itself(store: Store) -> None:
    topology = watched(SEQUENCE)
    send(store, topology, [1, 2, 8, 9])
    keep_books(store, topology, NOON + 4 * MINUTE)
    in_time = told(store)

    with structlog.testing.capture_logs() as logs:
        for minute in (5, 6):
            keep_books(store, topology, NOON + minute * MINUTE)
    raised = told(store)
    send(store, topology, [4, 3, 6], NOON + 7 * MINUTE)
    keep_books(store, topology, NOON + 7 * MINUTE)
    shrunk = exceptions(store)
    send(store, topology, [5, 7], NOON + 8 * MINUTE)
    keep_books(store, topology, NOON + 8 * MINUTE)

    assert in_time == []
    assert raised == [("numbers_missing", "3", "7", "open")]
    assert [entry["rule"] for entry in logs if entry["event"] == "business_exception_raised"] == ["numbers_missing"]
    assert [(each.missing_from, each.missing_to) for each in shrunk] == [("5", "7")]
    assert "5, 7" in shrunk[0].message
    (closed,) = exceptions(store)
    assert (closed.state, closed.resolved_by) == ("resolved", "lineside")


def test_a_message_that_is_sent_twice_is_no_repeat_and_each_plant_counts_for_itself(store: Store) -> None:
    topology = watched(SEQUENCE)
    send(store, topology, [1, 2, 3])
    send(store, topology, [1, 2, 3, 4])
    send(store, topology, [1, 2], plant="P200")

    keep_books(store, topology, NOON)
    keep_books(store, topology, NOON + timedelta(hours=1))

    assert told(store) == []


def test_a_repeat_is_told_for_a_day_and_a_missing_number_as_such(store: Store) -> None:
    topology = watched(SEQUENCE)
    send(store, topology, [1, 2])
    accept(store, move_event("other", sighting=sighting_of(topology.sources["mes"], "P100", "2", None)))
    accept(store, move_event("none", sighting=sighting_of(topology.sources["mes"], "P100", None, None)))

    keep_books(store, topology, NOON)
    keep_books(store, topology, NOON + 5 * MINUTE)
    rules = {(rule, state) for rule, _, _, state in told(store)}
    keep_books(store, topology, NOON + timedelta(days=1, minutes=5))

    assert rules == {("numbers_unreadable", "open"), ("numbers_repeated", "open")}
    assert {state for *_, state in told(store)} == {"resolved"}


def test_what_a_person_resolved_is_not_raised_again(store: Store) -> None:
    topology = watched(SEQUENCE)
    send(store, topology, [1, 5])
    keep_books(store, topology, NOON + 5 * MINUTE)
    (raised,) = exceptions(store)

    with store.writing() as session:
        assert resolve(session, raised.id, "anna", "Those were tests.", NOON)
        found = find_exception(session, raised.id)
        assert found is not None
        waive(session, found, NOON + 5 * MINUTE)
    send(store, topology, [6, 8], NOON + 6 * MINUTE)
    for minute in (6, 20):
        keep_books(store, topology, NOON + minute * MINUTE)

    assert [(first, state) for _, first, _, state in told(store)] == [("2", "resolved"), ("7", "open")]


def test_a_source_full_of_gaps_has_a_bounded_number_of_exceptions(store: Store) -> None:
    topology = watched(SEQUENCE)
    send(store, topology, range(1, 300, 2))

    for minute in (5, 6):
        keep_books(store, topology, NOON + minute * MINUTE)

    found = exceptions(store)
    assert len(found) == GAPS_MOST + 1
    assert (found[-1].missing_from, found[-1].missing_to) == (str(2 * GAPS_MOST + 2), "298")
    assert {each.times for each in found} == {1}


def test_two_writers_and_two_keepers_at_once_miss_exactly_what_is_missing(store: Store) -> None:
    topology = watched(SEQUENCE)
    numbers = [n for n in range(1, 161) if n % 7]
    Random(7).shuffle(numbers)

    def write(own: list[int]) -> None:
        for start in range(0, len(own), 8):
            send(store, topology, own[start : start + 8])

    def keep() -> None:
        for _ in range(12):
            keep_books(store, topology, NOON)

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(write, numbers[part::2]) for part in range(2)] + [pool.submit(keep) for _ in range(2)]
    for work in works:
        work.result()
    keep_books(store, topology, NOON)

    with store.reading() as session:
        row = session.get(SourceNumbers, ("mes", "P100", "sequence"))
        assert row is not None
        book = read_book(row.book, Counting())
    assert book.holes(NOON + 5 * MINUTE, 5 * MINUTE) == [(n, n) for n in range(7, 160, 7)]
    assert book.settle(NOON + 5 * MINUTE, 5 * MINUTE) == []


def test_the_relay_keeps_the_books_and_a_source_that_is_not_watched_any_more_is_left_alone(store: Store) -> None:
    clock, topology = Clock(NOON + 10 * MINUTE), watched(SEQUENCE)
    send(store, topology, [1, 3])

    Relay(replace(pipeline(store, {}, clock), topology=topology), NoBroker(), 100).tick()
    raised = told(store)
    keep_books(store, watched(Completeness(heartbeat=Heartbeat(5))), NOON + 11 * MINUTE)

    assert raised == [("numbers_missing", "2", "2", "open")]
    assert told(store) == [("numbers_missing", "2", "2", "resolved")]


def test_a_cause_has_one_exception_until_it_is_over_and_another_when_it_comes_back(store: Store) -> None:
    cause = Cause("some_rule", "some:key", "something", "notice", "Look at it.")

    for _ in range(2):
        with store.writing() as session:
            raise_exceptions(session, [cause], NOON)
    with store.writing() as session:
        closed = close_exceptions(session, [1], "It is over.", NOON)
        raise_exceptions(session, [cause], NOON)

    assert closed == 1
    assert [(each.state, each.times) for each in exceptions(store)] == [("resolved", 2), ("open", 1)]


DAY_SHIFT = (Shift(datetime.strptime("06:00", "%H:%M").time(), datetime.strptime("14:00", "%H:%M").time()),)
PLANT = Plant("P100", "P100", "Europe/Berlin", shifts=DAY_SHIFT)
QUIET = Plant("P200", "P200", "Europe/Berlin", shifts=(replace(DAY_SHIFT[0], days=("sun",)),))
HALF_AN_HOUR = Completeness(heartbeat=Heartbeat(30))


def test_a_silence_within_a_shift_is_raised_and_closes_when_the_source_speaks(store: Store) -> None:
    topology = watched(HALF_AN_HOUR, PLANT, QUIET)
    six = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # 06:00 in Berlin, a Monday
    keep_books(store, topology, six - timedelta(hours=8))
    keep_books(store, topology, six)
    send(store, topology, [1], six + 10 * MINUTE)
    states = []
    for minutes in (34, 45, 46, 80):
        keep_books(store, topology, six + minutes * MINUTE)
        states.append([each.state for each in exceptions(store)])

    send(store, topology, [1], six + 81 * MINUTE)  # a repeat is a sign of life as well
    keep_books(store, topology, six + 82 * MINUTE)
    keep_books(store, topology, six + timedelta(hours=9))

    (closed,) = exceptions(store)
    assert states == [[], [], ["open"], ["open"]]
    assert (closed.rule, closed.plant, closed.state) == ("source_silent", "P100", "resolved")
    assert closed.message.startswith("mes has sent nothing for P100 since 2026-03-02 06:10 CET; in its shifts")
    assert closed.missing_from == "2026-03-02T05:10:00+00:00"


def test_a_silence_counts_only_while_lineside_listened(store: Store) -> None:
    topology = watched(HALF_AN_HOUR)
    send(store, topology, [1])
    keep_books(store, topology, NOON)

    keep_books(store, topology, NOON + timedelta(days=3), was_away=True)
    keep_books(store, topology, NOON + timedelta(days=3, minutes=34))
    early = told(store)
    keep_books(store, topology, NOON + timedelta(days=3, minutes=36))

    assert early == []
    assert {rule for rule, *_ in told(store)} == {"source_silent"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


NIGHT = Shift(datetime.strptime("22:00", "%H:%M").time(), datetime.strptime("06:00", "%H:%M").time(), ("sat",))


@pytest.mark.parametrize(
    ("shifts", "now", "since"),
    [
        (DAY_SHIFT, "2026-03-02T05:59+01:00", None),
        (DAY_SHIFT, "2026-03-02T06:00+01:00", "2026-03-02T06:00+01:00"),
        (DAY_SHIFT, "2026-03-02T14:00+01:00", None),
        # The clock is put forward at 02:00 on Sunday, 29 March 2026, and back at 03:00 on 25 October.
        (DAY_SHIFT, "2026-03-29T06:30+02:00", "2026-03-29T06:00+02:00"),
        (DAY_SHIFT, "2026-10-25T05:30+01:00", None),
        ((NIGHT,), "2026-03-29T05:59+02:00", "2026-03-28T22:00+01:00"),
        ((NIGHT,), "2026-10-25T05:59+01:00", "2026-10-24T22:00+02:00"),
        ((NIGHT,), "2026-10-25T06:00+01:00", None),
        ((NIGHT,), "2026-10-24T21:59+02:00", None),
        (
            (*DAY_SHIFT, replace(DAY_SHIFT[0], begins=DAY_SHIFT[0].ends, ends=NIGHT.begins)),
            "2026-03-02T20:00+01:00",
            "2026-03-02T06:00+01:00",
        ),
    ],
)
def test_a_plant_works_by_its_own_clock(shifts: tuple[Shift, ...], now: str, since: str | None) -> None:
    plant = replace(PLANT, shifts=shifts)

    assert working_since(plant, at(now)) == (None if since is None else at(since))
