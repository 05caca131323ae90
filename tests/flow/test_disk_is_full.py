"""A full disk ends no process, and nothing is accepted that cannot be kept; with room again, all goes on by itself."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from app.intake.context import Intake
from app.intake.folders import DropFolder
from app.intake.watcher import Watcher
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.stack.instance import Instance
from app.stack.output_files import keep_within_bounds
from app.store.counts import message_counts
from app.store.session import Store
from config.topology import DropFile, Source
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import states
from tests.small_disk import SmallDisk, small_disk
from tests.web import key_for, web_app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import sys
from app.telemetry.metrics import Figures, observe_acceptances, observe_moves, observe_stage, render
for number in range(int(sys.argv[1])):
    observe_moves(f"P{number:04}", "a.type.with.a.long.name", "posted")
    observe_stage(f"P{number % 9:04}", "posted", 1.0)
    observe_acceptances("mes", f"status {number:04}")
print(render(Figures())[0].decode().count("lineside_moves_total{"))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 8_192) as disk:
        yield disk


@pytest.fixture
def store(disk: SmallDisk, sqlite_template: Path) -> Iterator[Store]:
    path = disk.path / "lineside.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield store
    store.dispose()


def _count(folder: Path, labels: int) -> int:
    """In a process of its own, as the kernel may end it; returns how many label sets it then tells of."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(labels)],
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-2000:]}"
    return int(done.stdout)


def test_counting_on_a_full_disk_ends_nothing_and_is_left_out(disk: SmallDisk) -> None:
    disk.fill()

    assert _count(disk.path / "metrics", 3) == 0


def test_counting_goes_on_as_far_as_the_disk_reaches(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        assert 0 < _count(disk.path / "metrics", 600) < 600


def test_with_room_everything_is_counted(tmp_path: Path) -> None:
    assert _count(tmp_path / "metrics", 600) == 600


def test_a_sender_is_told_503_until_there_is_room_and_then_202(disk: SmallDisk, store: Store) -> None:
    client = web_app(store, disk.path).test_client()
    key = key_for(store)
    disk.fill()

    answers = [client.post("/v1/messages", **_event(f"a{number}", key)) for number in range(40)]
    refused = [answer for answer in answers if answer.status_code == 503]
    accepted = [answer.get_json()["id"] for answer in answers if answer.status_code == 202]

    assert refused
    assert len(accepted) + len(refused) == 40
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert all(state == "received" for state in states(store, *accepted))
    disk.free()
    assert client.post("/v1/messages", **_event("b1", key)).status_code == 202


def _event(name: str, key: dict[str, str]) -> dict[str, Any]:
    asked = {"source": "mes", "plant": "P100", "type": "inventory.moved.v1"}
    return {"json": json.loads(move_event().body), "query_string": asked, "headers": key | {"Idempotency-Key": name}}


def test_a_log_that_cannot_be_copied_stays_as_it_is(disk: SmallDisk) -> None:
    log = disk.path / "work.log"
    log.write_bytes(b"x" * 2_000)
    disk.fill()

    keep_within_bounds(disk.path, limit_bytes=1_000)
    while_full = sorted(path.name for path in disk.path.iterdir())
    disk.free()
    keep_within_bounds(disk.path, limit_bytes=1_000)

    assert while_full == ["filler", "work.log"]
    assert (log.stat().st_size, (disk.path / "work.log.1").stat().st_size) == (0, 2_000)


def test_a_process_that_cannot_be_recorded_is_not_taken_for_one_that_did_not_start(disk: SmallDisk) -> None:
    instance = Instance(disk.path)
    disk.fill()

    instance.record({"work": 1})


def test_a_dropped_file_waits_for_room_and_is_then_read_whole(disk: SmallDisk, store: Store) -> None:
    columns = {"delimiter": ";", "encoding": "utf-8", "columns": ["record_no", "qty"], "id": ["record_no"]}
    kind = DropFile("CONF*.csv", "legacy.confirmation", "csv", columns)
    source = Source("mes", "legacy", ("P100",), "legacy_files", intake="drop", files=(kind,))
    folder = DropFolder(source, disk.path / "drop")
    watcher = Watcher(Intake(store, lambda *_: None, Clock(NOON)), (folder,), "token")
    folder.make()
    rows = "".join(f"{number};not a number at all\n" for number in range(100))
    file = folder.incoming / "CONF-1.csv"
    file.write_text(f"record_no;qty\n{rows}")
    os.utime(file, (0, 0))
    disk.fill()

    with pytest.raises((OSError, DBAPIError)):
        watcher.look()
    disk.free()

    assert watcher.look() == 1
    assert [path.name for path in folder.archive.iterdir()] == ["CONF-1.csv"]
    with store.reading() as session:
        assert sum(message_counts(session).values()) == 100


def test_a_disk_that_is_full_for_long_makes_no_dead_letters(store: Store, disk: SmallDisk) -> None:
    know_items(store)
    books, clock = Books(), Clock(NOON)
    line = pipeline(store, {"erp": books}, clock)
    ids = accept(store, *(move_event(f"m{number}") for number in range(100)))
    disk.fill()

    for _ in range(12):
        for work in (transform_due, enrich_due, post_due):
            with suppress(DBAPIError):
                work(line, "P100", 100)
        clock.pass_time(61)
    while_full = set(states(store, *ids))
    disk.free()
    for _ in range(4):
        run_once(line)
        clock.pass_time(61)

    assert "dead" not in while_full
    assert set(states(store, *ids)) == {"posted"}
    assert len(books.effects) == 100


@pytest.mark.parametrize("place", ["transform.save_documents", "enrich.save_plans", "wave.record_intents"])
def test_results_that_cannot_be_saved_cost_no_message_a_worker(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As on a disk whose last blocks take a claim and no more."""
    know_items(sqlite_store)
    books, clock = Books(), Clock(NOON)
    line = pipeline(sqlite_store, {"erp": books}, clock)
    ids = accept(sqlite_store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(10)))

    with monkeypatch.context() as full:
        full.setattr(f"app.pipeline.{place}", _disk_is_full)
        for _ in range(12):
            for work in (transform_due, enrich_due, post_due):
                with suppress(DBAPIError):
                    work(line, "P100", 100)
            clock.pass_time(61)
    run_once(line)

    assert set(states(sqlite_store, *ids)) == {"posted"}
    assert len(books.effects) == 10


def _disk_is_full(*_: object) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise OperationalError("INSERT", {}, error)
