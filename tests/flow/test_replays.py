"""A replay takes a posted message through today's mapping: shown first, and never posted beside what it corrects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.audit.trail import read_trail
from app.dead_letters.repair import DeadLetterError, correct, discard, requeue
from app.dead_letters.replay import replay
from app.errors import OutcomeUnknown, Refused, Transient
from app.mapping_changes.replaying import Order, Outlook, Verdict, look_at, replay_changed
from app.projections.projector import project
from app.store.ledger_tables import ItemStock
from app.store.messages_tables import Message
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.flow.reversing import KillingStore, Plant
from tests.reading import message, states, timeline

pytestmark = pytest.mark.slow
PIECES, BOXES = {"STK": "EA"}, {"STK": "BOX"}


class Remapped(Plant):
    """Its messages come in a vendor's own form, and count in pieces until somebody finds that they are boxes."""

    def __init__(self, store: Store, message_id: str = "m1") -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.wms = Books(), Books()
        self.books = {"erp": self.erp, "wms": self.wms}
        self.line = pipeline(store, self.books, self.clock)
        know_items(store)
        self.count_in(PIECES)
        (self.id,) = accept(store, moved(message_id))
        self.work(1)

    def count_in(self, units: dict[str, str]) -> None:
        mes = replace(self.line.topology.sources["mes"], mapping="mes_json", units=units)
        self.line = replace(self.line, topology=replace(self.line.topology, sources={"mes": mes}))

    def look(self, *ids: int) -> list[Outlook]:
        return list(look_at(self.store, self.line.topology, ids or [self.id]))

    def replay(self, *ids: int) -> list[Outlook]:
        order = Order("ada", "they are boxes", self.clock)
        return list(replay_changed(self.store, self.line.topology, ids or [self.id], order))

    def replayed(self) -> int:
        (outlook,) = self.replay()
        assert outlook.replay_id is not None, outlook
        return outlook.replay_id

    def holds(self) -> list[list[tuple[str, str]]]:
        """What each target holds and nobody reversed: quantity and unit of each document."""
        found = []
        for books in self.books.values():
            gone = [document["reverses"] for document in books.documents if "reverses" in document]
            named = [(f"doc-{number}", document) for number, document in enumerate(books.documents, start=1)]
            kept = [one for name, one in named if "reverses" not in one and name not in gone]
            found.append([(one["data"]["quantity"]["value"], one["data"]["quantity"]["uom"]) for one in kept])
        return found


def moved(message_id: str, pieces: object = "4", **fields: Any) -> Any:
    body = {"ts": "2026-03-02T09:15:00", "material": "WHEEL-10", "menge": pieces, "einheit": "STK"}
    body |= {"charge": message_id, "von": {"lagerort": "P100-ST"}, "nach": {"lagerort": "P100-WIP"}}
    return incoming(message_id, "mes.move", body, **fields)


@pytest.fixture
def plant(store: Store) -> Remapped:
    """Its message is posted in pieces, and would be mapped to boxes now."""
    plant = Remapped(store)
    plant.count_in(BOXES)
    return plant


def test_what_would_change_is_shown_and_nothing_is_done(plant: Remapped) -> None:
    (outlook,) = plant.look()
    plant.work()

    assert outlook.verdict is Verdict.CHANGES
    assert next((one.path, one.old, one.new) for one in outlook.changes) == (
        "inventory.moved.v1 quantity.uom",
        "EA",
        "BOX",
    )
    assert [(one.target, one.reference) for one in outlook.reverses] == [("erp", "doc-1"), ("wms", "doc-1")]
    assert [(one.target, one.type) for one in outlook.posts] == [
        ("erp", "inventory.moved.v1"),
        ("wms", "inventory.moved.v1"),
    ]
    assert plant.counts() == [1, 1]
    assert states(plant.store, plant.id) == ["posted"]


def test_the_old_effect_is_reversed_before_the_new_one_is_posted(plant: Remapped) -> None:
    new = plant.replayed()
    plant.work()

    assert states(plant.store, plant.id, new) == ["compensated", "posted"]
    assert plant.holds() == [[("4", "BOX")], [("4", "BOX")]]
    kinds = ["reverses" in document for document in plant.erp.documents]
    assert kinds == [False, True, False]
    assert plant.erp.documents[-1]["data"]["correction_of"] == "m1"


def test_the_picture_counts_the_replay_and_not_what_it_replaced(plant: Remapped) -> None:
    plant.replayed()
    plant.work()
    project(plant.store, plant.clock, 10.0)

    with plant.store.reading() as session:
        (row,) = session.execute(select(ItemStock.unrestricted)).all()
    assert row.unrestricted == 0
    (outlook,) = plant.look(plant.id + 1)
    assert outlook.verdict is Verdict.UNCHANGED


def test_a_replay_waits_as_long_as_the_reversal_is_not_made(plant: Remapped) -> None:
    plant.wms.before_reversal = [Transient("busy"), Transient("busy")]
    new = plant.replayed()
    plant.work(1)
    half_way = message(plant.store, new)
    plant.work(4)

    assert (half_way.state, half_way.waiting_for) == ("waiting", f"reversal:{plant.id}")
    assert plant.holds() == [[("4", "BOX")], [("4", "BOX")]]


def test_a_refused_reversal_holds_the_replay_until_a_person_has_mended_it(plant: Remapped) -> None:
    plant.wms.before_reversal = [Refused("locked", "The document is locked.")]
    new = plant.replayed()
    plant.work(4)
    stuck = states(plant.store, plant.id, new)

    plant.requeue()
    plant.work(4)

    assert stuck == ["dead", "waiting"]
    assert states(plant.store, plant.id, new) == ["compensated", "posted"]
    assert plant.holds() == [[("4", "BOX")], [("4", "BOX")]]


def test_neither_a_requeue_nor_a_correction_takes_a_replay_past_what_it_waits_for(plant: Remapped) -> None:
    plant.wms.before_reversal = [Refused("locked", "The document is locked.")]
    new = plant.replayed()
    plant.work(2)
    plant.clock.pass_time(7_200)
    plant.work(1)
    gave_up = message(plant.store, new)

    with plant.store.writing() as session:
        requeue(session, [new], "ada", plant.clock())
    plant.work(1)
    requeued = message(plant.store, new)
    plant.clock.pass_time(7_200)
    plant.work(1)
    with plant.store.writing() as session:
        correct(session, new, moved("m1", pieces="5").body, "ada", plant.clock())
    plant.work(1)

    assert (gave_up.state, gave_up.reason_code) == ("dead", "waited_too_long")
    assert requeued.waiting_for == message(plant.store, new).waiting_for == f"reversal:{plant.id}"
    assert plant.holds()[1] == [("4", "EA")]


def test_an_unknown_outcome_on_the_way_doubles_nothing(plant: Remapped) -> None:
    plant.erp.after_reversal = [OutcomeUnknown("no answer")]
    plant.wms.after = [OutcomeUnknown("no answer")]
    plant.replayed()
    plant.work(6)

    assert plant.holds() == [[("4", "BOX")], [("4", "BOX")]]


def test_what_would_come_out_the_same_is_left_alone(store: Store) -> None:
    plant = Remapped(store)

    (outlook,) = plant.replay()
    plant.work()

    assert (outlook.verdict, outlook.replay_id) == (Verdict.UNCHANGED, None)
    assert states(store, plant.id) == ["posted"]
    assert plant.counts() == [1, 1]


def test_what_would_be_refused_or_would_wait_keeps_what_it_has(store: Store) -> None:
    plant = Remapped(store)
    plant.count_in({"KG": "KGM"})
    (refused,) = plant.replay()
    plant.count_in({"STK": "PALLET"})
    (unknown_unit,) = plant.replay()
    plant.work()

    assert (refused.verdict, refused.field) == (Verdict.REFUSED, "menge")
    assert str(refused.reason).startswith("unit_unknown: ")
    assert unknown_unit.verdict in (Verdict.REFUSED, Verdict.WAITS)
    assert states(store, plant.id) == ["posted"]


def test_only_what_is_posted_is_replayed_and_once(plant: Remapped) -> None:
    new = plant.replayed()
    (again,) = plant.replay()
    (waiting,) = plant.replay(new)
    (missing,) = plant.replay(99_999)
    plant.work()
    (reversed_one,) = plant.replay()

    assert {one.verdict for one in (again, waiting, missing, reversed_one)} == {Verdict.NOT_POSSIBLE}
    assert again.reason == f"Message {plant.id} is being reversed already."
    assert "it was reversed" in str(reversed_one.reason)
    assert "on its way" in str(waiting.reason)


def test_of_two_people_who_replay_one_message_one_is_told_that_it_is_under_way(plant: Remapped) -> None:
    plant.replayed()

    with pytest.raises(DeadLetterError, match="being reversed already"), plant.store.writing() as session:
        replay(session, plant.id, "me too", "bea", NOON, plant.line.topology.lanes_of)

    with plant.store.reading() as session:
        assert len(session.scalars(select(Message.id)).all()) == 2


def test_a_replay_is_replayed_like_any_other_and_is_mapped_as_of_the_first_receipt(plant: Remapped) -> None:
    first = plant.replayed()
    plant.work()
    plant.count_in(PIECES)
    plant.id = first
    second = plant.replayed()
    plant.work(4)

    assert states(plant.store, first, second) == ["compensated", "posted"]
    assert plant.holds() == [[("4", "EA")], [("4", "EA")]]
    assert plant.erp.documents[-1]["data"]["correction_of"] == "m1"


def test_who_replayed_it_and_why_stands_with_both_messages_and_in_the_trail(plant: Remapped) -> None:
    new = plant.replayed()
    plant.work()

    with plant.store.reading() as session:
        actions = {entry.action: entry for entry in read_trail(session, 10)}
    assert actions["message.replayed"].actor == "ada"
    assert actions["message.replayed"].detail == {"reason": "they are boxes", "replay": new}
    assert timeline(plant.store, new)[0] == "received"


def test_a_worker_killed_before_any_of_its_commits_leaves_one_effect(sqlite_store: Store) -> None:
    commits, number = 1, 0
    while number <= commits:
        plant = Remapped(sqlite_store, f"m{number}")
        plant.count_in(BOXES)
        new = plant.replayed()

        plant.line = replace(plant.line, store=KillingStore(sqlite_store, number or None))
        plant.work(5)
        commits = commits if number else plant.line.store.begun  # type: ignore[attr-defined]
        number += 1

        assert states(sqlite_store, plant.id, new) == ["compensated", "posted"], number
        assert plant.holds() == [[("4", "BOX")], [("4", "BOX")]], number
    assert commits > 8


def test_a_source_cannot_make_a_message_look_like_a_replay(store: Store) -> None:
    plant = Remapped(store)
    text = '{"of": 1, "id": "x", "received_at": "2026-01-01T00:00:00+00:00"}'
    forged, other = accept(
        store,
        moved("f1", attributes={"replay": text}),
        moved(f"lineside:replay:{plant.id}"),
    )
    plant.work()
    plant.count_in(BOXES)
    (taken,) = plant.replay()

    assert states(store, forged, other) == ["posted", "posted"]
    assert taken.verdict is Verdict.NOT_POSSIBLE
    assert states(store, plant.id) == ["posted"]


def test_a_discarded_replay_leaves_the_message_reversed(plant: Remapped) -> None:
    plant.erp.before = [Refused("no", "No.")]
    new = plant.replayed()
    plant.work(4)
    with plant.store.writing() as session:
        discard(session, [new], "ada", "entered by hand", plant.clock())

    assert states(plant.store, plant.id, new) == ["compensated", "discarded"]
    assert plant.holds() == [[], []]


def test_a_canonical_message_can_be_replayed_where_its_documents_change(store: Store) -> None:
    plant = Plant(store)
    plant.work(1)
    unrouted = replace(plant.line.topology.routes[-1], targets=plant.line.topology.routes[-1].targets[:2])
    topology = replace(plant.line.topology, routes=(*plant.line.topology.routes[:-1], unrouted))
    plant.line = replace(plant.line, topology=topology)
    (later,) = accept(store, move_event("m2", lot="m1", at="2026-03-02T10:00:00Z"))
    run_once(plant.line)

    (outlook,) = replay_changed(store, topology, [plant.id], Order("ada", "planning needs it no more", plant.clock))
    plant.work()

    assert [(one.path, one.old, one.new) for one in outlook.changes] == [("planning inventory.moved.v1", "doc-1", None)]
    assert plant.net() == [2, 2, 0]
    assert outlook.replay_id is not None
    assert states(store, plant.id, later, outlook.replay_id) == ["compensated", "posted", "posted"]
