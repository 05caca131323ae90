"""Equipment is in the state that it entered last, whatever was told last, and each state knows how long it lasted."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from app.dead_letters.reversal import reverse
from app.projections.projector import rebuild
from app.store.session import Store
from app.store.version_tables import EquipmentState
from tests.factories import NOON, pipeline, run_once
from tests.facts import enter_all, facts_told, post, state
from tests.fakes import Books

pytestmark = pytest.mark.slow


def at(minute: int) -> str:
    return f"2026-03-02T09:{minute:02}:00Z"


def line_of(store: Store, equipment: str = "PRESS-1") -> list[tuple[str, int, int | None, bool]]:
    """State, the minutes at which it began and ended, and whether it is the current one, in their order."""
    query = select(EquipmentState).where(EquipmentState.equipment_id == equipment, EquipmentState.void_at.is_(None))
    with store.reading() as session:
        rows = session.execute(query.order_by(EquipmentState.happened_at)).scalars()
        return [(row.state, row.since_at.minute, _minute(row.ended_at), row.is_current) for row in rows]


def _minute(moment: datetime | None) -> int | None:
    return None if moment is None else moment.minute


def test_a_state_lasts_until_the_next_one_and_the_last_is_the_current_one(store: Store) -> None:
    post(store, state("e1", "RUN", at(1)), state("e2", "DOWN", at(5)), state("e3", "RUN", at(3), "PRESS-2"))

    assert line_of(store) == [("RUN", 1, 5, False), ("DOWN", 5, None, True)]
    assert line_of(store, "PRESS-2") == [("RUN", 3, None, True)]


def test_a_state_that_is_told_again_has_lasted_since_it_was_told_first(store: Store) -> None:
    post(store, state("e1", "RUN", at(1)), state("e2", "RUN", at(5)))
    post(store, state("e3", "RUN", at(7)), state("e4", "DOWN", at(9)))

    assert line_of(store) == [("RUN", 1, 5, False), ("RUN", 1, 7, False), ("RUN", 1, 9, False), ("DOWN", 9, None, True)]


def test_one_that_is_told_late_takes_its_place_among_the_others(store: Store) -> None:
    post(store, state("e1", "RUN", at(1)), state("e2", "RUN", at(9)))

    post(store, state("e3", "DOWN", at(5)), state("e4", "SETUP", at(0)))

    assert line_of(store) == [
        ("SETUP", 0, 1, False),
        ("RUN", 1, 5, False),
        ("DOWN", 5, 9, False),
        ("RUN", 9, None, True),
    ]


def test_a_state_that_did_not_follow_the_one_before_says_that_something_is_missing(store: Store) -> None:
    post(store, state("e1", "RUN", at(1)), state("e2", "RUN", at(5), **{"from": "DOWN"}))
    query = select(EquipmentState.follows).order_by(EquipmentState.happened_at)
    with store.reading() as session:
        early = list(session.scalars(query))

    post(store, state("e3", "DOWN", at(3), **{"from": "RUN"}))

    with store.reading() as session:
        late = list(session.scalars(query))
    assert (early, late) == ([True, False], [True, True, True])


def test_what_is_reversed_never_was(store: Store) -> None:
    ids = post(store, state("e1", "RUN", at(1)), state("e2", "DOWN", at(5)), state("e3", "RUN", at(9)))
    line = pipeline(store, {"erp": Books()})

    for message in ids[1:]:
        with store.writing() as session:
            reverse(session, message, "a mistake", "ada", NOON, line.topology.lanes_of)
        run_once(line)
        enter_all(store)

    assert line_of(store) == [("RUN", 1, None, True)]


def test_built_anew_it_says_the_same(store: Store) -> None:
    for number, minute in enumerate((30, 10, 20, 40, 5)):
        post(store, state(f"e{number}", "RUN" if number % 2 else "DOWN", at(minute)))
    before = facts_told(store)

    rebuild(store, NOON)
    enter_all(store)

    assert facts_told(store) == before
