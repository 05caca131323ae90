"""What ended long ago is exported and deleted; stock, orders, lots and what is known of repeats stay as they were."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.audit.trail import read_trail
from app.dead_letters.repair import DeadLetterError, discard
from app.dead_letters.reversal import reverse
from app.inbox.accept import accept_messages
from app.projections.effects import behind
from app.projections.lot_trace import Direction, trace
from app.projections.projector import project, rebuild
from app.reconcile.effects import ledger_at
from app.retention import rounds
from app.retention.exporting import ArchiveFault, read_archive
from app.retention.rounds import Retention, Round, preview, retain
from app.store.messages_tables import Message, MessageDocument, Payload, TimelineEntry
from app.store.postings_tables import Posting, PostingAttempt
from app.store.retention_tables import Archive
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock, Killed
from tests.flow.reversing import KillingStore
from tests.reading import message, projected_orders, states

pytestmark = pytest.mark.slow

AT = "2026-03-02T09:00:00Z"
RULES = {
    "production": {"posted": 30, "compensated": 30},
    "inventory": {"posted": 60, "discarded": 10},
    "logistics": {"posted": 30},
    "quality": {"posted": 30},
    "other": {"discarded": 5},
}


def ea(value: str) -> dict[str, str]:
    return {"value": value, "uom": "EA"}


def event(message_id: str, kind: str, **data: Any) -> Any:
    return incoming(message_id, kind, {"event_time": AT, **data})


class Plant:
    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.clock = store, Clock(NOON)
        self.books = Books()
        self.line = pipeline(store, {"erp": self.books}, self.clock)
        self.retention = Retention(RULES, folder, "here")
        know_items(store, "BIKE-100", "WHEEL-10", "RIM-1")

    def happened(self, *messages: Any) -> list[int]:
        ids = accept(self.store, *messages, at=self.clock())
        for _ in range(3):
            run_once(self.line)
            self.clock.pass_time(5)
        self.enter()
        return ids

    def enter(self) -> None:
        assert not project(self.store, self.clock, 30.0).goes_on

    def pass_days(self, days: float) -> None:
        self.clock.pass_time(days * 86_400)

    def leave(self) -> Round:
        return retain(self.store, self.retention, ["P100"], self.clock, 60.0)

    def picture(self) -> tuple[Any, ...]:
        with self.store.reading() as session:
            assert behind(session).faults == 0
            stock = {place: amount for place, amount in ledger_at(session, self.clock()).items() if amount}
            traced = trace(session, "BIKE-100", "B-A", Direction.UP)
            lots = [(one.lot, one.came, one.went, one.on_hand, len(one.holds)) for one in traced.lots]
            links = [(one.transformation, one.direction, one.lot, one.quantity) for one in traced.links]
        return stock, lots, links, list(map(repr, traced.gaps)), orders_of(self.store)

    def left(self) -> list[int]:
        """Messages of which anything but their own row was deleted."""
        with self.store.reading() as session:
            return list(session.scalars(select(Message.id).where(Message.archive_id.is_not(None)).order_by(Message.id)))


def orders_of(store: Store) -> list[tuple[Any, ...]]:
    """What is told of each order, without the times at which that was entered."""
    return [
        (one.order.order_id, one.status, one.completed, [(item.item, item.produced) for item in one.items])
        for one in projected_orders(store)
    ]


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Plant:
    """A bike made of a wheel, of which some is scrapped, counted, held and reversed."""
    plant = Plant(store, tmp_path / "retained")
    amounts = {"received": ea("10"), "accepted": ea("9"), "rejected": ea("1")}
    document = {"type": "purchase_order", "id": "45", "line": "1"}
    plant.happened(
        release(),
        event("g1", "receipt.recorded.v1", document_ref=document, item="WHEEL-10", lot="W-A", **amounts),
        event(
            "i1",
            "material.issued.v1",
            order_id="1000",
            components=[{"item": "WHEEL-10", "lot": "W-A", "quantity": ea("2")}],
        ),
        event(
            "c1",
            "production.completed.v1",
            order_id="1000",
            final=False,
            outputs=[{"item": "BIKE-100", "lot": "B-A", "quantity": ea("1")}],
        ),
        event("k1", "inventory.counted.v1", item="WHEEL-10", lot="W-A", counted=ea("6")),
        event("h1", "quality.held.v1", item="BIKE-100", lot="B-A", status="blocked", reason="crack"),
        completion("wrong", quantity="5"),
    )
    with store.writing() as session:
        wrong = session.scalar(select(Message.id).where(Message.source_message_id == "wrong"))
        assert wrong is not None
        reverse(session, wrong, "counted twice", "ada", plant.clock(), lambda _: 4)
    plant.happened()
    return plant


def rows(store: Store, *tables: Any) -> list[int]:
    with store.reading() as session:
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_the_picture_is_the_same_before_after_and_built_anew(plant: Plant) -> None:
    before = plant.picture()
    assert all(before[:3])
    assert before[4]
    plant.pass_days(100)

    done = plant.leave()
    after = plant.picture()
    rebuild(plant.store, plant.clock())
    plant.enter()

    assert done.deleted == 7
    assert rows(plant.store, Payload, TimelineEntry, PostingAttempt) == [0, 0, 0]
    assert after == before
    assert plant.picture() == before


def test_each_domain_and_state_has_its_own_time_and_what_has_no_rule_is_kept(plant: Plant) -> None:
    (moved,) = plant.happened(move_event("m1"))
    kept = plant.happened(event("s1", "equipment.state.changed.v1", equipment_id="E1", **{"from": "run", "to": "stop"}))

    plant.pass_days(31)
    plant.leave()
    soon = plant.left()
    plant.pass_days(31)
    plant.leave()

    assert moved not in soon
    assert len(soon) == 6
    assert moved in plant.left()
    assert not set(kept) & set(plant.left())


def test_what_is_dead_or_waits_never_leaves(plant: Plant) -> None:
    ids = plant.happened(completion("d1", uom="BARREL"), completion("w1", order="9999"))
    assert states(plant.store, *ids) == ["dead", "waiting"]

    plant.pass_days(1_000)
    plant.leave()

    assert not set(ids) & set(plant.left())


def test_a_discarded_message_that_nobody_could_read_leaves_by_the_rule_of_others(plant: Plant) -> None:
    (torn,) = plant.happened(incoming("t1", "inventory.moved.v1", {"nothing": "here"}))
    with plant.store.writing() as session:
        discard(session, [torn], "ada", "a test", plant.clock())

    plant.pass_days(6)
    plant.leave()

    assert plant.left() == [torn]


def test_a_repeat_is_known_for_ever_and_other_content_still_a_conflict(plant: Plant) -> None:
    plant.pass_days(100)
    plant.leave()

    with plant.store.writing() as session:
        again = accept_messages(session, [release(), release(at="2026-03-02T08:30:00Z")], plant.clock())

    assert [one.status for one in again] == ["repeat", "conflict"]


def test_an_exported_message_comes_back_byte_for_byte(plant: Plant) -> None:
    plant.pass_days(100)
    done = plant.leave()

    (record, *_) = read_archive(plant.retention.folder / done.files[0])

    sent = release()
    assert base64.b64decode(record["payload"]["body"]["base64"]) == sent.body
    assert record["message"]["source_message_id"] == sent.source_message_id
    assert [one["to_state"] for one in record["timeline"]] == ["received", "transformed", "enriched", "posted"]
    assert record["documents"]["canonical"][0]["data"]["order_id"] == "1000"
    assert record["postings"][0]["document"]["type"] == "production.order.released.v1"
    assert [one["outcome"] for one in record["postings"][0]["attempts"]] == ["posted"]


def test_what_targets_hold_stays_known_and_the_audit_trail_grows(plant: Plant) -> None:
    with plant.store.reading() as session:
        before = read_trail(session, 100)
        held = session.execute(select(Posting.id, Posting.state, Posting.posting_key, Posting.reference)).all()
    plant.pass_days(100)
    done = plant.leave()

    with plant.store.reading() as session:
        after = read_trail(session, 100)
        still = session.execute(select(Posting.id, Posting.state, Posting.posting_key, Posting.reference)).all()
    assert still == held
    assert [one.id for one in after[1:]] == [one.id for one in before]
    assert (after[0].action, after[0].detail["file"]) == ("messages.exported", done.files[0])


def test_what_was_exported_is_not_reversed_any_more_and_says_why(plant: Plant) -> None:
    plant.pass_days(100)
    plant.leave()

    with pytest.raises(DeadLetterError, match="was exported"), plant.store.writing() as session:
        reverse(session, plant.left()[0], "too late", "ada", plant.clock(), lambda _: 4)


@pytest.fixture
def small(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Nine movements that may leave, two messages a transaction and four a file."""
    monkeypatch.setattr(rounds, "BATCH", 2)
    monkeypatch.setattr(rounds, "FILE_MESSAGES", 4)
    plant = Plant(sqlite_store, tmp_path / "retained")
    plant.happened(*(move_event(f"m{number}", lot=f"L{number}") for number in range(9)))
    plant.pass_days(100)
    return plant


@pytest.mark.parametrize("kill", range(1, 20, 2))
def test_whoever_is_killed_anywhere_each_message_lies_in_a_file_before_it_is_deleted(small: Plant, kill: int) -> None:
    before = ledger(small)
    small_store = small.store
    small.store = KillingStore(small_store, kill)
    with suppress(Killed):
        small.leave()
    half_way = small.left()
    assert_exported(small, half_way)

    small.store = small_store
    small.clock.pass_time(600)
    done = small.leave()

    assert done.is_through
    assert len(small.left()) == 9
    assert_exported(small, small.left())
    assert ledger(small) == before


def ledger(plant: Plant) -> Any:
    with plant.store.reading() as session:
        return ledger_at(session, plant.clock())


def assert_exported(plant: Plant, ids: list[int]) -> None:
    with plant.store.reading() as session:
        rows_ = session.execute(select(Message.id, Archive.path).join(Archive, Archive.id == Message.archive_id)).all()
        with_payload = set(session.scalars(select(Payload.message_id)))
    assert [row.id for row in rows_] == ids
    assert not with_payload & set(ids)
    for row in rows_:
        assert row.id in [one["message"]["id"] for one in read_archive(plant.retention.folder / row.path)]


def test_what_changes_between_export_and_deletion_stays(small: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def and_then(real: Callable[..., Any]) -> Callable[..., Any]:
        def registering(*args: Any) -> Any:
            found = real(*args)
            reverse(args[0], 1, "in between", "ada", small.clock(), lambda _: 4)
            return found

        return registering

    monkeypatch.setattr(rounds, "register", and_then(rounds.register))
    with suppress(DeadLetterError):
        small.leave()

    assert 1 not in small.left()
    assert message(small.store, 1).step == "post"


def test_where_the_file_does_not_read_as_it_was_written_nothing_is_deleted(
    small: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.retention.exporting.digest_of", lambda path: "0" if path.suffix == ".part" else "1")

    with pytest.raises(ArchiveFault, match="is not the file"):
        small.leave()

    assert small.left() == []


def test_a_file_that_was_changed_is_told_apart(small: Plant) -> None:
    path = small.retention.folder / small.leave().files[0]
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(ArchiveFault, match="its hash is"):
        next(read_archive(path))


def test_where_no_file_can_be_written_nothing_is_deleted(small: Plant) -> None:
    small.retention.folder.write_text("no folder")

    with pytest.raises(NotADirectoryError):
        small.leave()

    assert small.left() == []


def test_a_round_stands_back_while_messages_wait_for_work(small: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "BUSY", 1)
    accept(small.store, move_event("new"), at=small.clock())

    assert small.leave().stood_back
    assert small.left() == []


def test_a_preview_counts_what_would_leave_and_changes_nothing(small: Plant) -> None:
    counts = [found for _, found in preview(small.store, RULES, small.clock())]

    assert sum(found["inventory", "posted"] for found in counts) == 9
    assert small.left() == []


def test_without_rules_nothing_is_looked_at(small: Plant) -> None:
    small.retention = replace(small.retention, rules={})

    assert small.leave() == Round()
    assert not small.retention.folder.exists()


def test_the_source_of_the_picture_is_kept_and_nothing_else_of_a_document(plant: Plant) -> None:
    plant.pass_days(100)
    plant.leave()

    with plant.store.reading() as session:
        kept = session.execute(select(MessageDocument.message_id, MessageDocument.step)).all()
        counted = session.scalars(select(Message.id).where(Message.state == "posted")).all()
    assert sorted(row.message_id for row in kept) == sorted(counted)
    assert {row.step for row in kept} == {"enriched"}


def test_a_manifest_says_what_the_file_holds(small: Plant) -> None:
    done = small.leave()

    (manifest, *_) = sorted(small.retention.folder.rglob("*.manifest.json"))
    told = json.loads(manifest.read_text())

    assert (told["messages"], told["first_id"], told["last_id"]) == (4, 1, 4)
    assert done.exported == done.deleted == 9
