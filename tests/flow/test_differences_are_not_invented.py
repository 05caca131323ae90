"""What a comparison tells as a cause is one: nothing counts twice, and no half of a document explains anything."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.errors import OutcomeUnknown, Refused
from app.projections.projector import project
from app.reconcile.compare import Balance
from app.reconcile.keys import Level
from app.reconcile.reports import list_differences, reconcile
from app.reconcile.snapshots import save_snapshot
from app.store.postings_tables import Posting
from app.store.reconcile_tables import Difference, Reconciliation
from app.store.session import Store
from tests.factories import accept, move_event, run_once
from tests.flow.reversing import Plant


def _report(plant: Plant, has: dict[str, str], level: Level) -> Reconciliation:
    """With what the ERP has of wheels, by storage location."""
    assert not project(plant.store, plant.clock, 30.0).goes_on
    rows = [Balance("P100", "WHEEL-10", storage, "", Decimal(amount), "EA") for storage, amount in has.items()]
    with plant.store.writing() as session:
        snapshot = save_snapshot(session, "erp", plant.clock(), "a test", "ada", rows)
    return reconcile(plant.store, plant.line.topology, snapshot, level, "ada", plant.clock())


def _differences(plant: Plant, has: dict[str, str], level: Level) -> list[Difference]:
    report = _report(plant, has, level)
    with plant.store.reading() as session:
        return list(list_differences(session, report.id, 100))


@pytest.fixture
def plant(store: Store) -> Plant:
    """Its message moves two wheels from one storage location to another, and is posted."""
    plant = Plant(store)
    plant.work(1)
    return plant


def test_a_message_whose_reversal_was_refused_counts_once(plant: Plant) -> None:
    plant.erp.before_reversal = [Refused("target_refused", "The document is locked.")]
    plant.order()
    plant.work()

    found = _differences(plant, {"P100-ST": "-2", "P100-WIP": "2"}, Level.STORAGE)

    assert plant.state == "dead"
    assert [(one.storage, one.reported_quantity, one.causes) for one in found] == []


def test_a_document_that_is_being_reversed_explains_only_what_it_would(plant: Plant) -> None:
    plant.erp.before_reversal = [OutcomeUnknown("no answer")]
    plant.order()
    plant.work(1)
    with plant.store.reading() as session:
        of_erp = (Posting.target == "erp", Posting.reverses_id.is_(None))
        state = session.execute(select(Posting.state).where(*of_erp)).scalar_one()

    reversed_there = _differences(plant, {"P100-ST": "0", "P100-WIP": "0"}, Level.STORAGE)
    neither = _differences(plant, {"P100-ST": "-3", "P100-WIP": "0"}, Level.STORAGE)

    assert state == "compensating"
    told = {one.storage: [(cause["cause"], cause["quantity"]) for cause in one.causes] for one in reversed_there}
    assert told == {"P100-ST": [("unknown_outcome", "2")], "P100-WIP": [("unknown_outcome", "-2")]}
    assert [(one.storage, one.causes, one.unexplained) for one in neither] == [
        ("P100-ST", [], -1),
        ("P100-WIP", [], -2),
    ]


def test_half_of_a_move_within_a_plant_explains_no_difference_of_the_plant(plant: Plant) -> None:
    plant.erp.before = [OutcomeUnknown("no answer")]
    accept(plant.store, move_event("m2", lot="m2"))
    run_once(plant.line)

    (found,) = _differences(plant, {"P100-ST": "2"}, Level.ITEM)

    assert (found.causes, found.unexplained) == ([], 2)


def test_a_report_that_has_not_looked_at_all_that_the_system_lacks_says_so(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plant.store.writing() as session:
        session.execute(update(Posting).where(Posting.target == "erp").values(state="refused"))
    monkeypatch.setattr("app.reconcile.effects.LACKING_MOST", 0)

    assert not _report(plant, {}, Level.ITEM).notes["is_whole"]
