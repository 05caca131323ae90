"""What an event holds is held until the same subject is released, whatever the order in which the events come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.dead_letters.reversal import reverse
from app.projections.effects import behind, note_effects
from app.projections.hold_lists import HoldFilter, list_holds
from app.projections.holds import HoldLine, Subject, enter_holds, void_holds
from app.projections.projector import project, rebuild
from app.store.availability_tables import Hold
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, pipeline, run_once
from tests.fakes import Books

EIGHT, NINE, TEN = (f"2026-03-02T{hour:02}:00:00Z" for hour in (8, 9, 10))
INSPECTION = {"type": "inspection", "id": "4711", "line": "10"}


def _post(store: Store, *messages: Any) -> list[int]:
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    run_once(line)
    _project(store)
    return ids


def _project(store: Store) -> None:
    assert not project(store, lambda: NOON, 30.0).goes_on
    with store.reading() as session:
        assert behind(session).faults == 0


def _undo(store: Store, message_id: int) -> None:
    line = pipeline(store, {"erp": Books()})
    with store.writing() as session:
        reverse(session, message_id, "held by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    _project(store)


def _held(message_id: str, at: str = EIGHT, **data: Any) -> Any:
    told = {"event_time": at, "item": "WHEEL-10", "lot": "L1", "status": "blocked", "reason": "crack", **data}
    return incoming(message_id, "quality.held.v1", {name: value for name, value in told.items() if value})


def _released(message_id: str, at: str, **data: Any) -> Any:
    told = {"event_time": at, "item": "WHEEL-10", "lot": "L1", "status": "unrestricted", **data}
    return incoming(message_id, "quality.released.v1", {name: value for name, value in told.items() if value})


def _holds(store: Store, is_open: bool | None = None) -> list[tuple[Any, ...]]:
    with store.reading() as session:
        rows = list_holds(session, HoldFilter(is_open=is_open), 1_000)
        return [(row.message_id, row.item, row.lot, row.serial, row.status) for row in rows]


def _picture(store: Store) -> list[str]:
    """All that the holds say which count, without row ids and times of entering."""
    left_out = ("id", "entered_at", "void_at")
    columns = [column for column in Hold.__table__.columns if column.name not in left_out]
    with store.reading() as session:
        return sorted(map(repr, session.execute(select(*columns).where(Hold.void_at.is_(None)))))


def test_a_hold_tells_what_is_held_why_and_by_which_message(store: Store) -> None:
    know_items(store)

    (held,) = _post(store, _held("h1", quantity={"value": "1.5", "uom": "BOX"}, inspection_ref=INSPECTION))

    with store.reading() as session:
        (row,) = list_holds(session, HoldFilter(is_open=True), 10)
    assert (row.message_id, row.plant, row.item, row.lot, row.serial) == (held, "P100", "WHEEL-10", "L1", "")
    assert (row.status, row.reason, row.inspection_ref) == ("blocked", "crack", "inspection:4711:10")
    assert (row.quantity, row.uom) == (15, "EA")


def test_each_serial_of_an_event_is_held_by_itself(store: Store) -> None:
    know_items(store)

    _post(store, _held("h1", lot=None, serials=["S1", "S2", "S1"]), _released("r1", NINE, lot=None, serials=["S2"]))

    assert [row[3] for row in _holds(store, is_open=True)] == ["S1"]
    assert [row[3] for row in _holds(store, is_open=False)] == ["S2", "S2"]


def test_the_latest_event_of_a_subject_stands_though_an_earlier_one_comes_later(store: Store) -> None:
    know_items(store)
    first, _ = _post(store, _held("h1", TEN), _held("h2", EIGHT, lot="L2"))
    _post(store, _released("r1", NINE), _released("r2", NINE, lot="L2"))

    assert _holds(store, is_open=True) == [(first, "WHEEL-10", "L1", "", "blocked")]


def test_a_wider_or_narrower_release_leaves_the_hold_open(store: Store) -> None:
    know_items(store)
    (held,) = _post(store, _held("h1"))

    _post(store, _released("r1", NINE, lot=None), _released("r2", NINE, serials=["S1"]), _released("r3", NINE, item=""))

    assert [row[0] for row in _holds(store, is_open=True)] == [held]


def test_a_reversed_release_leaves_the_hold_open_and_a_reversed_hold_none(store: Store) -> None:
    know_items(store)
    (held,) = _post(store, _held("h1"))
    (freed,) = _post(store, _released("r1", NINE))
    stages = [_holds(store, is_open=True)]
    _undo(store, freed)
    stages.append(_holds(store, is_open=True))
    _undo(store, held)
    stages.append(_holds(store, is_open=True))

    assert [len(stage) for stage in stages] == [0, 1, 0]
    with store.reading() as session:
        rows = list_holds(session, HoldFilter(is_open=False), 10)
        assert [(row.message_id, row.void_at) for row in rows] == [(freed, NOON), (held, NOON)]


def test_built_anew_the_holds_say_the_same_and_nothing_that_no_message_says(store: Store) -> None:
    know_items(store)
    _post(store, *(_held(f"h{n}", lot=f"L{n % 4}", at=f"2026-03-02T08:{n * 7 % 60:02}:00Z") for n in range(12)))
    freed = _post(store, *(_released(f"r{n}", f"2026-03-02T08:{n * 13:02}:30Z", lot=f"L{n}") for n in range(4)))
    _undo(store, freed[3])
    before = _picture(store)
    with store.writing() as session:
        enter_holds(session, [HoldLine(999, 0, 0, Subject("P100", "WHEEL-10", "L1"), "blocked", NOON)], NOON)

    rebuild(store, NOON)
    _project(store)

    assert len(before) == 15
    assert _picture(store) == before


@dataclass(frozen=True)
class Told:
    """One message about a lot, at a minute; ``void``: reversed in the end."""

    minute: int
    lot: str
    status: str
    void: bool

    def line(self, number: int) -> HoldLine:
        moment = NOON + timedelta(minutes=self.minute)
        return HoldLine(number, 0, 0, Subject("P100", "WHEEL-10", self.lot), self.status, moment)


STATUS = st.sampled_from(("quality", "blocked", "unrestricted"))
TOLD = st.lists(
    st.builds(Told, st.integers(0, 4), st.sampled_from(("L1", "L2")), STATUS, st.booleans()), min_size=1, max_size=12
)


def _walk(told: list[Told]) -> set[int]:
    """The messages whose holds are open in the end, told in the plainest way."""
    last: dict[str, tuple[int, Told]] = {}
    for number, one in sorted(enumerate(told, start=1), key=lambda pair: (pair[1].minute, pair[0])):
        if not one.void:
            last[one.lot] = number, one
    return {number for number, one in last.values() if one.status != "unrestricted"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=TOLD, portions=st.integers(1, 4), seed=st.integers(0, 1_000))
def test_which_holds_are_open_does_not_depend_on_the_order_of_entering(
    store: Store, told: list[Told], portions: int, seed: int
) -> None:
    with store.writing() as session:
        session.execute(delete(Hold).execution_options(synchronize_session=False))
    numbers = list(range(1, len(told) + 1))
    Random(seed).shuffle(numbers)

    for part in range(portions):
        mine = numbers[part::portions]
        with store.writing() as session:
            enter_holds(session, [told[number - 1].line(number) for number in mine], NOON)
        with store.writing() as session:
            void_holds(session, {number for number in mine if told[number - 1].void}, NOON)

    assert {row[0] for row in _holds(store, is_open=True)} == _walk(told)


def test_a_hold_that_was_entered_already_is_not_entered_again(store: Store) -> None:
    know_items(store)
    (held,) = _post(store, _held("h1"))

    with store.writing() as session:
        note_effects(session, [held], NOON)
    _project(store)

    assert len(_holds(store)) == 1
