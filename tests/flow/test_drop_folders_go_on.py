"""A file that breaks its reader, a row that no database takes and a share that hangs hold up nothing but themselves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, OperationalError

import app.intake.rows_in as rows_in
from app.intake.context import Intake
from app.intake.folders import DropFolder
from app.intake.watcher import Watcher, watch
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology import DropFile, Source
from tests.factories import NOON
from tests.fakes import Killed

HEADER = "record_no;qty\n"
COLUMNS = {"delimiter": ";", "encoding": "utf-8", "columns": ["record_no", "qty"], "id": ["record_no"]}
KIND = DropFile("CONF*.csv", "legacy.confirmation", "csv", COLUMNS)
LEGACY = Source("legacy", "ERP", ("P300",), "legacy_files", intake="drop", files=(KIND,), settle_seconds=2)
PATIENCE_SECONDS = 20.0


def watcher_of(store: Store, root: Path, *codes: str, number: int = 0) -> Watcher:
    """The ``number``-th watcher, begun when the one before it no longer holds its folders."""
    begun_at = NOON + timedelta(minutes=2 * number)
    folders = tuple(DropFolder(replace(LEGACY, code=code), root / code) for code in codes)
    for folder in folders:
        folder.make()
    return Watcher(Intake(store, lambda *_: None, lambda: begun_at), folders, f"watcher-{number}")


def drop(folder: DropFolder, name: str, rows: str) -> None:
    path = folder.incoming / name
    path.write_text(HEADER + rows)
    os.utime(path, (0, 0))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def taken_ids(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.execute(select(Message.source_message_id).order_by(Message.source_message_id)).scalars())


def when(condition: Callable[[Any], bool], act: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, but first ``act`` where the condition holds for its arguments."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if condition(arguments):
            act()
        return function(*arguments, **options)

    return wrapped


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def holds_row_2(arguments: Any) -> bool:
    return any(message.source_message_id.endswith(":2") for message in arguments[1])


def test_a_file_that_breaks_its_reader_fails_with_a_reason_and_its_neighbours_are_taken(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watcher_of(sqlite_store, tmp_path, "legacy")
    (folder,) = watcher.folders
    drop(folder, "CONF1.csv", "1;bad\n")
    drop(folder, "CONF2.csv", "2;3\n")
    is_bad = lambda arguments: arguments[1].values["qty"] == "bad"  # noqa: E731
    monkeypatch.setattr(rows_in, "_message", when(is_bad, raising(RecursionError("deep")), rows_in._message))

    watcher.look()

    assert names(folder.archive) == ["CONF2.csv"]
    assert names(folder.failed) == ["CONF1.csv", "CONF1.csv.error.txt"]
    assert "RecursionError, internal_error" in (folder.failed / "CONF1.csv.error.txt").read_text()


def test_a_row_that_the_database_does_not_take_is_listed_and_its_neighbours_are_taken(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watcher_of(store, tmp_path, "legacy")
    (folder,) = watcher.folders
    drop(folder, "CONF1.csv", "".join(f"{number};3\n" for number in range(6)))
    refused = raising(DataError("INSERT", {}, Exception("value out of range")))
    monkeypatch.setattr(rows_in, "accept_messages", when(holds_row_2, refused, rows_in.accept_messages))

    watcher.look()

    assert [name[-1] for name in taken_ids(store)] == ["0", "1", "3", "4", "5"]
    (line,) = (folder.archive / "CONF1.csv.errors.csv").read_text().splitlines()[1:]
    assert line.startswith("4,,")
    assert line.endswith("2;3")


def test_a_database_in_trouble_costs_no_row(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = watcher_of(store, tmp_path, "legacy")
    (folder,) = watcher.folders
    drop(folder, "CONF1.csv", "1;3\n2;3\n")
    away = OperationalError("INSERT", {}, Exception("away"), connection_invalidated=True)
    with monkeypatch.context() as patch:
        patch.setattr(rows_in, "accept_messages", when(holds_row_2, raising(away), rows_in.accept_messages))
        with pytest.raises(OperationalError):
            watcher.look()

    watcher.look()

    assert len(taken_ids(store)) == 2
    assert names(folder.archive) == ["CONF1.csv"]


def test_a_file_that_ends_its_watchers_is_set_aside_and_what_was_read_of_it_is_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_in, "ROWS_PER_COMMIT", 1)
    drop(watcher_of(store, tmp_path, "legacy").folders[0], "CONF1.csv", "0;3\n1;3\n2;3\n3;3\n")
    deadly = when(holds_row_2, raising(Killed()), rows_in.accept_messages)
    monkeypatch.setattr(rows_in, "accept_messages", deadly)
    for number in range(3):
        with pytest.raises(Killed):
            watcher_of(store, tmp_path, "legacy", number=number).look()

    last = watcher_of(store, tmp_path, "legacy", number=3)
    last.look()
    last.look()

    (folder,) = last.folders
    assert names(folder.working) == []
    assert "(worker_lost), at about row 3" in (folder.failed / "CONF1.csv.error.txt").read_text()
    assert len(taken_ids(store)) == 2


def test_a_file_whose_watchers_are_ended_for_other_reasons_is_read_to_its_end(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_in, "ROWS_PER_COMMIT", 1)
    drop(watcher_of(store, tmp_path, "legacy").folders[0], "CONF1.csv", "".join(f"{n};3\n" for n in range(6)))
    for number in range(6):
        with monkeypatch.context() as patch:
            once = iter([lambda: None, raising(Killed())])
            act = lambda once=once: next(once, lambda: None)()  # noqa: E731
            patch.setattr(rows_in, "accept_messages", when(lambda _: True, act, rows_in.accept_messages))
            with pytest.raises(Killed):
                watcher_of(store, tmp_path, "legacy", number=number).look()
        if len(taken_ids(store)) == 5:
            break

    last = watcher_of(store, tmp_path, "legacy", number=9)
    last.look()

    assert names(last.folders[0].archive) == ["CONF1.csv"]
    assert len(taken_ids(store)) == 6


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(watcher, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_a_share_that_hangs_holds_up_no_other_source(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watcher_of(sqlite_store, tmp_path, "hung", "legacy")
    answers, asked = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        answers.wait(PATIENCE_SECONDS)

    is_hung = lambda arguments: arguments[0].source.code == "hung"  # noqa: E731
    monkeypatch.setattr(DropFolder, "whole_files", when(is_hung, hang, DropFolder.whole_files))
    until = time.monotonic() + PATIENCE_SECONDS

    with watching(watcher):
        assert asked.wait(PATIENCE_SECONDS)
        drop(watcher.folders[1], "CONF1.csv", "1;3\n")
        while not names(watcher.folders[1].archive) and time.monotonic() < until:
            time.sleep(0.01)
        archived, hung = names(watcher.folders[1].archive), not answers.is_set()
        answers.set()

    assert archived == ["CONF1.csv"]
    assert hung
