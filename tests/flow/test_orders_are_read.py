"""What an ERP holds and sends to nobody is read: each order once, and again when it changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.errors import OutcomeUnknown, TargetPaused, Transient
from app.pipeline import reading
from app.pipeline.context import Pipeline
from app.pipeline.reading import due_readings, read_domain
from app.store.messages_tables import Message, Payload, TimelineEntry
from app.store.session import Store
from config.topology import Reading, Source
from mappings.formats import json_body
from tests.factories import NOON, accept, completion, know_items, pipeline, release, run_once
from tests.fakes import Books, Clock, Killed, Planner

EVERY_SECONDS = 30.0
DUE = [("erp", "production_orders")]


@dataclass
class Plant:
    """The ERP, the MES, and Lineside between them: orders are read from the one and posted to the other."""

    store: Store
    clock: Clock
    erp: Planner
    mes: Books
    line: Pipeline
    nudged: list[tuple[str, int]] = field(default_factory=list)

    def read(self) -> int:
        return read_domain(self.line, lambda plant, count: self.nudged.append((plant, count)), *DUE[0])

    def read_later(self) -> int:
        self.clock.pass_time(EVERY_SECONDS)
        return self.read()

    def released(self) -> list[tuple[str, str]]:
        """Ids and quantities of all releases, in the order of their acceptance."""
        query = select(Message.source_message_id, Payload.body).join(Payload, Payload.message_id == Message.id)
        with self.store.reading() as session:
            rows = session.execute(query.order_by(Message.id)).all()
        return [
            (row.source_message_id.removeprefix("production_orders/"), json_body.read(row.body)["quantity"]["value"])
            for row in rows
        ]

    def made(self) -> list[Any]:
        """The quantities that the MES was told, in its order."""
        return [document["data"]["quantity"]["value"] for document in self.mes.documents]


def set_up(store: Store, **fields: Any) -> Plant:
    clock = Clock(NOON)
    erp, mes = Planner(clock), Books()
    know_items(store)
    line = pipeline(store, {"mes": mes}, clock)
    reads = (Reading("erp", "production_orders", EVERY_SECONDS),)
    source = Source("erp", "ERP", ("P100", "P200"), "canonical", reads=reads, **fields)
    targets = line.topology.targets | {"erp": replace(line.topology.targets["mes"], code="erp")}
    topology = replace(line.topology, sources=line.topology.sources | {"erp": source}, targets=targets)
    adapters: dict[str, Any] = {"erp": erp, "mes": mes}
    return Plant(store, clock, erp, mes, replace(line, topology=topology, adapter_for=lambda code: adapters[code]))


@pytest.fixture
def plant(store: Store) -> Plant:
    return set_up(store)


def test_a_new_order_reaches_the_mes_once_however_often_it_is_read(plant: Plant) -> None:
    plant.erp.plan("1000")

    read = [plant.read(), *(plant.read_later() for _ in range(3))]
    run_once(plant.line)

    assert read == [1, 0, 0, 0]
    assert plant.nudged == [("P100", 1)]
    assert plant.released() == [("P100/1000/1", "10")]
    assert plant.made() == ["10"]
    with plant.store.reading() as session:
        notes = session.execute(select(TimelineEntry.note).order_by(TimelineEntry.id)).scalars()
        assert next(iter(notes)) == "Read from target erp, revision 1."


def test_a_changed_order_is_released_again_and_takes_effect_in_its_order(plant: Plant) -> None:
    for quantity in ("10", "12", "10"):
        plant.erp.plan("1000", quantity)
        plant.read_later()

    run_once(plant.line)

    assert plant.released() == [("P100/1000/1", "10"), ("P100/1000/2", "12"), ("P100/1000/3", "10")]
    assert plant.made() == ["10", "12", "10"]


def test_a_change_of_nothing_that_the_plant_is_told_is_no_new_release(plant: Plant) -> None:
    plant.erp.plan("1000", "10.0")
    plant.read()
    plant.clock.pass_time(60)
    plant.erp.plan("1000", "10", colour="red")

    assert plant.read() == 0


def test_reports_wait_for_the_release_that_is_read(plant: Plant) -> None:
    accept(plant.store, completion(at="2026-03-02T07:00:00Z"))
    run_once(plant.line)
    early = len(plant.mes.documents)

    plant.erp.plan("1000")
    plant.read()
    for _ in range(2):
        run_once(plant.line)

    assert early == 0
    assert [document["type"] for document in plant.mes.documents] == [
        "production.order.released.v1",
        "production.completed.v1",
    ]


def test_a_crash_after_some_were_stored_loses_and_doubles_nothing(plant: Plant, monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_COMMIT", 1)
    for number in ("1000", "1001", "1002"):
        plant.erp.plan(number)

    with pytest.raises(Killed):
        read_domain(plant.line, killed, *DUE[0])
    while_held = plant.read()
    plant.clock.pass_time(120)
    after = plant.read()

    assert (while_held, after) == (0, 2)
    assert [key for key, _ in plant.released()] == ["P100/1000/1", "P100/1001/1", "P100/1002/1"]


def killed(*_: Any) -> None:
    raise Killed


def test_a_crash_before_the_commit_has_accepted_nothing(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.erp.plan("1000")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "save_records", killed)
        with pytest.raises(Killed):
            plant.read()
    before = plant.released()

    plant.clock.pass_time(120)
    plant.read()

    assert before == []
    assert plant.released() == [("P100/1000/1", "10")]


def test_two_readers_at_once_accept_each_order_once(plant: Plant) -> None:
    for number in range(1000, 1050):
        plant.erp.plan(str(number))

    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda _: plant.read(), range(4)))

    assert sorted(read) == [0, 0, 0, 50]
    assert len(plant.released()) == 50


def test_a_reader_that_was_suspended_stores_nothing_old(plant: Plant) -> None:
    plant.erp.plan("1000", "10")

    def another_is_faster() -> None:
        plant.erp.meanwhile = lambda: None
        plant.clock.pass_time(600)
        plant.erp.plan("1000", "12")
        plant.read()

    plant.erp.meanwhile = another_is_faster
    plant.read()

    assert plant.released() == [("P100/1000/1", "12")]
    assert plant.read_later() == 0


def test_a_target_that_hangs_is_asked_once_and_holds_up_no_other_reading(plant: Plant) -> None:
    own = plant.line.topology.sources["erp"]
    other = replace(own, code="second-erp", plants=("P300",), reads=own.reads)
    topology = replace(plant.line.topology, sources=plant.line.topology.sources | {"second-erp": other})
    plant.line = replace(plant.line, topology=topology)
    plant.erp.plan("1000")
    plant.erp.plan("3000", plant="P300")
    meanwhile: list[Any] = []

    def it_hangs() -> None:
        plant.erp.meanwhile = lambda: None
        meanwhile.append(due_readings(plant.line))
        meanwhile.append(read_domain(plant.line, lambda *_: None, "second-erp", "production_orders"))

    plant.erp.meanwhile = it_hangs
    plant.read()

    assert meanwhile == [[("second-erp", "production_orders")], 1]
    assert sorted(key for key, _ in plant.released()) == ["P100/1000/1", "P300/3000/1"]


def test_an_erp_that_is_down_is_asked_again_and_then_read(plant: Plant) -> None:
    plant.erp.plan("1000")
    plant.erp.reading = [
        Transient("no connection"),
        Transient("busy", 40),
        OutcomeUnknown("502", 90),
        TargetPaused("401"),
    ]

    due = []
    for seconds in (4.9, 0.1, 39.9, 0.1, 89.9, 0.1, 59.9, 0.1):
        plant.read()
        plant.clock.pass_time(seconds)
        due.append(due_readings(plant.line) == DUE)

    assert due == [False, True] * 4
    assert plant.read() == 1


def test_a_reading_is_due_at_first_and_then_as_often_as_the_topology_says(plant: Plant) -> None:
    first = due_readings(plant.line)
    plant.read()
    early = due_readings(plant.line), plant.read()
    plant.clock.pass_time(EVERY_SECONDS)

    assert (first, early, due_readings(plant.line)) == (DUE, ([], 0), DUE)
    plant.clock.pass_time(-86_400)
    assert due_readings(plant.line) == DUE, "the clock was set back"


@pytest.mark.parametrize(
    "wrong",
    [
        {"item": None},
        {"order_id": None},
        {"order_id": "9" * 300},
        {"order_id": "10\x0000\ud800"},
        {"quantity": {"value": "10"}},
        {"quantity": "10 EA"},
        {"quantity": {"value": "0", "uom": "EA"}},
        {"start": "soon"},
        {"materials": [None]},
        {"plant": "MOON"},
        {"plant": None},
        {"plant": ["P100"]},
        {"fault": "2 productions wait under this number"},
    ],
)
def test_an_order_that_cannot_be_used_is_told_once_and_holds_up_no_other(plant: Plant, wrong: dict[str, Any]) -> None:
    plant.erp.plan("1000", **wrong)
    plant.erp.plan("1001")

    with capture_logs() as logs:
        read = [plant.read(), plant.read_later()]

    told = [entry for entry in logs if entry["event"] == "order_not_taken"]
    assert read == [1, 0]
    assert [key for key, _ in plant.released()] == ["P100/1001/1"]
    assert len(told) == 1
    assert told[0]["reason"]


def test_an_order_that_was_mended_is_taken(plant: Plant) -> None:
    plant.erp.plan("1000", item=None)
    plant.read()
    plant.erp.plan("1000")
    mended = plant.read_later()
    plant.erp.plan("1000", item=None)
    plant.read_later()
    plant.erp.plan("1000")

    assert (mended, plant.read_later()) == (1, 0)
    assert plant.released() == [("P100/1000/1", "10")]


def test_only_the_source_s_own_plants_are_taken_by_the_codes_that_the_target_has(store: Store) -> None:
    plant = set_up(store)
    erp = replace(plant.line.topology.targets["erp"], mapping_options={"locations": {"P200": "MAIN", "P300": "PAINT"}})
    targets = plant.line.topology.targets | {"erp": erp}
    plant.line = replace(plant.line, topology=replace(plant.line.topology, targets=targets))
    for number, place in enumerate(["P100", "MAIN", "PAINT"], start=1000):
        plant.erp.plan(str(number), plant=place)

    with capture_logs() as logs:
        plant.read()

    assert [key for key, _ in plant.released()] == ["P100/1000/1", "P200/1001/1"]
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []


def test_days_are_the_plant_s_and_units_are_translated(store: Store) -> None:
    plant = set_up(store, units={"STK": "EA"})
    plant.erp.plan(
        "1000",
        start="2026-03-28",
        end="2026-03-29",
        quantity={"value": 10, "uom": "STK"},
        materials=[{"item": "WHEEL-10", "quantity": {"value": "20", "uom": "STK"}}],
    )
    plant.read()
    run_once(plant.line)

    (document,) = plant.mes.documents
    assert document["data"] == {
        "event_time": "2026-03-02T12:00:00Z",
        "order_id": "1000",
        "item": "BIKE-100",
        "quantity": {"value": "10", "uom": "EA"},
        "start": "2026-03-27T23:00:00Z",
        "end": "2026-03-29T22:00:00Z",
        "materials": [{"item": "WHEEL-10", "quantity": {"value": "20", "uom": "EA"}}],
    }


@pytest.mark.parametrize("ahead_seconds", [-900, 0, 900])
def test_what_changes_is_read_by_the_target_s_own_clock_and_all_once_an_hour(plant: Plant, ahead_seconds: int) -> None:
    target_now = NOON + timedelta(seconds=ahead_seconds)
    plant.erp.plan("1000", changed_at=target_now.isoformat())
    plant.read()

    for seconds in (600, 600, 2_400):
        plant.clock.pass_time(seconds)
        plant.read()

    first, second, third, fourth = plant.erp.since
    assert (first, fourth) == (None, None)
    known = min(target_now, NOON)
    assert (second, third) == (known - timedelta(seconds=300), known + timedelta(seconds=300))


def test_a_change_that_became_visible_late_is_read_all_the_same(plant: Plant) -> None:
    plant.erp.plan("1001")
    plant.read()
    plant.clock.pass_time(200)
    plant.erp.plan("1001", "11")
    plant.read()

    plant.erp.plan("1000", changed_at=(plant.clock() - timedelta(seconds=240)).isoformat())

    assert plant.read_later() == 1


def test_an_id_that_somebody_used_for_other_content_is_passed_by(plant: Plant) -> None:
    accept(plant.store, release("production_orders/P100/1000/1", "1000", source="erp"))
    plant.erp.plan("1000", "7")

    read = [plant.read(), plant.read_later(), plant.read_later()]

    assert read == [0, 1, 0]
    assert plant.released()[1:] == [("P100/1000/2", "7")]
