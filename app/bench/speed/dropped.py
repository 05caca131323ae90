"""A dropped file, row to inbox, beside the same rows read and inserted with nothing else; and the watcher's memory."""

from __future__ import annotations

import csv
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psycopg
from sqlalchemy import func, select

from app.bench.installation import Ground
from app.bench.speed.figures import Figure, Runs, at_least, at_most
from app.bench.speed.installation import DROP_SOURCE, PLANTS, Measured, measured
from app.bench.speed.processes import peak_bytes
from app.bench.speed.programs import SpeedFailed, await_condition
from app.demo.run import Show
from app.store.messages_tables import Message

ROWS_NAME, MEMORY_NAME = "a dropped CSV, row to inbox", "the watcher's peak memory at ten times the rows"
BARE, TENTH = "csv.reader and executemany", "at a tenth of the rows"
ROWS_A_SECOND, FLAT, COMMIT_ROWS = 20_000, 1.25, 500
FILE_SECONDS, LOOK_SECONDS = 900.0, 0.002
COLUMNS = 12


@dataclass(frozen=True)
class DroppedPlan:
    """``rows`` of the file; one of a tenth of them is taken before it."""

    ground: Ground
    runs: int = 3
    rows: int = 100_000


def run_dropped(plan: DroppedPlan, home: Path, show: Show) -> list[Figure]:
    """By turns, the product in an installation of its own each time; its door is open, and nobody works on messages."""
    mine, bare, few, many = [], [], [], []
    with show.progress("Taking dropped files") as advance:
        for turn in range(plan.runs):
            there = home / f"bare-{turn}"
            there.mkdir(parents=True)
            bare.append(_bare(plan, there))
            advance((turn + 0.3) / plan.runs)
            with measured(
                home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, "http://127.0.0.1:9"), ("web", "watch")
            ) as here:
                watcher = here.supervisor.pids()["watch"]
                _taken(here, "CONF-0.csv", 0, plan.rows // 10)
                few.append(float(peak_bytes(watcher)))
                mine.append(_taken(here, "CONF-1.csv", plan.rows // 10, plan.rows))
                many.append(float(peak_bytes(watcher)))
                _all_are_there(here, plan.rows // 10 + plan.rows)
            advance((turn + 1) / plan.runs)
    rows, memory = Runs(mine), Runs([size / 1e6 for size in many])
    before = Runs([size / 1e6 for size in few])
    flat = at_most(memory.median / before.median, FLAT, f"flat: at most {FLAT:g} x that {TENTH}")
    fast = at_least(rows.median, ROWS_A_SECOND, f"{ROWS_A_SECOND:,} rows/s")
    return [
        Figure(ROWS_NAME, plan.ground.stack, "rows/s", rows, {BARE: Runs(bare)}, [fast]),
        Figure(MEMORY_NAME, plan.ground.stack, "MB", memory, {TENTH: before}, [flat]),
    ]


def write_rows(path: Path, first: int, rows: int) -> None:
    """Confirmations of ten rows an order, each row with a number of its own."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(first, first + rows):
            order = number // 10
            fields = (f"{number:010d}", f"{order:012d}", "0010", f"{number % 50:018d}", "12,000", "0", "PC", "")
            file.write(";".join((*fields, f"L{order:06d}", "20260302", "091500", "")) + "\n")


def _taken(here: Measured, name: str, first: int, rows: int) -> float:
    """Rows a second from the moment the watcher takes the file into its hands until it lies in the archive, when every
    row is committed. Written elsewhere and renamed, so that it is whole at once but for the source's settle time."""
    folder = here.settings.drop_dir / DROP_SOURCE
    written = here.home / name
    write_rows(written, first, rows)
    incoming = folder / "in" / name
    # The watcher makes it, some moments after the API answers.
    await_condition(incoming.parent.is_dir, f"{incoming.parent}", here.settings.log_dir / "watch.log")
    written.rename(incoming)
    until = time.monotonic() + FILE_SECONDS
    began = time.monotonic()
    while not _ended(folder, name):
        if incoming.exists():
            began = time.monotonic()
        if time.monotonic() > until:
            raise SpeedFailed(f"{name} was not taken within {FILE_SECONDS:g} s.")
        time.sleep(LOOK_SECONDS)
    return rows / (time.monotonic() - began)


def _ended(folder: Path, name: str) -> bool:
    if (folder / "failed" / name).exists():
        raise SpeedFailed(f"{name} was refused, and lies in {folder / 'failed'}.")
    return (folder / "archive" / name).exists()


def _all_are_there(here: Measured, rows: int) -> None:
    with here.store.reading() as session:
        found = session.scalar(select(func.count()).select_from(Message))
    if found != rows:
        raise SpeedFailed(f"{found:,} messages came of {rows:,} rows.")


def _bare(plan: DroppedPlan, home: Path) -> float:
    """Rows a second into one table of text, a commit for each portion, as durable as the product's."""
    path = home / "rows.csv"
    write_rows(path, 0, plan.rows)
    with plan.ground.database(home) as database, path.open(newline="", encoding="utf-8") as file:
        began = time.monotonic()
        if plan.ground.stack == "sqlite+valkey":
            _into_sqlite(home / "lineside.db", csv.reader(file, delimiter=";"))
        else:
            _into_postgresql(database.url.replace("+psycopg", ""), csv.reader(file, delimiter=";"))
        return plan.rows / (time.monotonic() - began)


def _into_sqlite(path: Path, rows: Iterator[list[str]]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_table())
        while portion := list(islice(rows, COMMIT_ROWS)):
            connection.executemany(f"INSERT INTO line VALUES ({', '.join(['?'] * COLUMNS)})", portion)
            connection.commit()


def _into_postgresql(url: str, rows: Iterator[list[str]]) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_table())
        while portion := list(islice(rows, COMMIT_ROWS)):
            cursor.executemany(f"INSERT INTO line VALUES ({', '.join(['%s'] * COLUMNS)})", portion)
            connection.commit()


def _table() -> str:
    columns = ", ".join(f"c{place} TEXT" for place in range(COLUMNS))
    return f"CREATE TABLE line ({columns})"
