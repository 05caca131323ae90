"""What was exported and deleted is missed by nothing that is built anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.dead_letters.repair import discard
from app.projections.effects import behind
from app.projections.measures import Question, read_measures
from app.projections.projector import project, rebuild
from app.store.session import Store
from tests.factories import move_event
from tests.flow.test_old_messages_leave import Plant, event

pytestmark = pytest.mark.slow


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Plant:
    return Plant(store, tmp_path / "retained")


def asked_for(message_id: str) -> Any:
    """It moves nothing: nothing of the picture is built from it."""
    wanted = {"item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}, "supply_to": {"storage": "P100-WIP"}}
    return event(message_id, "replenishment.requested.v1", kanban_id="K1", need_by="2026-03-03T09:00:00Z", **wanted)


def measured(plant: Plant) -> Any:
    first, last = plant.clock().date().replace(year=2026, month=1, day=1), plant.clock().date()
    asked = Question(["P100", ""], (), first, last, by_plant=False, by_day=True)
    with plant.store.reading() as session:
        found = read_measures(session, asked)
    return {
        str(group): (dict(sums.counts), {name: dict(one) for name, one in sums.histograms.items()})
        for group, sums in found.items()
    }


def test_an_exported_message_that_told_the_picture_nothing_is_no_fault_of_the_picture_built_anew(plant: Plant) -> None:
    plant.happened(asked_for("k1"), move_event("m1"))
    plant.pass_days(100)
    assert plant.leave().deleted == 2

    assert rebuild(plant.store, plant.clock()) == 1
    plant.enter()

    with plant.store.reading() as session:
        assert behind(session).faults == 0


def test_what_was_measured_of_exported_messages_stays_when_all_is_built_anew(plant: Plant) -> None:
    plant.happened(asked_for("k1"), move_event("m1"))
    (torn,) = plant.happened(event("t1", "inventory.moved.v1", nothing="here"))
    with plant.store.writing() as session:
        discard(session, [torn], "ada", "a test", plant.clock())
    plant.enter()
    plant.pass_days(100)
    before = measured(plant)
    assert before
    plant.leave()

    rebuild(plant.store, plant.clock())
    plant.enter()

    assert measured(plant) == before


def test_what_was_posted_and_not_measured_yet_is_measured_once_though_all_is_built_anew(plant: Plant) -> None:
    plant.happened(move_event("m1"))
    plant.pass_days(100)
    plant.leave()
    enter, plant.enter = plant.enter, lambda: None  # type: ignore[method-assign]
    plant.happened(move_event("m2", at="2026-06-10T09:00:00Z"), asked_for("k2"))

    rebuild(plant.store, plant.clock())
    enter()
    once = measured(plant)
    rebuild(plant.store, plant.clock())
    enter()

    assert sum(counts.get("posted", 0) for counts, _ in once.values()) == 3
    assert measured(plant) == once
    assert not project(plant.store, plant.clock, 1.0).entered
