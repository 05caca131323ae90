"""The books of the practice systems, plain on purpose: a row for every call that came, with nothing unique in it.

What Lineside sends twice stands here twice, which is the only way to see it. The stock moves in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    system TEXT NOT NULL,
    posting_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX documents_by_key ON documents (system, posting_key);
CREATE TABLE stock (place TEXT NOT NULL, item TEXT NOT NULL, quantity TEXT NOT NULL, PRIMARY KEY (place, item));
"""

Deltas = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True)
class Entry:
    """One call that took effect. ``number`` tells what came first, and counts through all practice systems; a real
    one has its own."""

    number: int
    system: str
    posting_key: str
    kind: str


class PlainBooks:
    """One connection behind one lock; nothing here has to outlive the run."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_TABLES)

    def write(self, system: str, posting_key: str, kind: str, body: Mapping[str, Any], deltas: Deltas) -> int:
        """The number of a new document, whatever stands under this key already."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            row = self._connection.execute(
                "INSERT INTO documents (system, posting_key, kind, body) VALUES (?, ?, ?, ?) RETURNING number",
                (system, posting_key, kind, json.dumps(body)),
            ).fetchone()
            for (place, item), quantity in deltas.items():
                self._move(place, item, quantity)
            self._connection.execute("COMMIT")
        return int(row[0])

    def _move(self, place: str, item: str, quantity: Decimal) -> None:
        query = "SELECT quantity FROM stock WHERE place = ? AND item = ?"
        held = self._connection.execute(query, (place, item)).fetchone()
        total = Decimal(held[0]) + quantity if held else quantity
        self._connection.execute("REPLACE INTO stock VALUES (?, ?, ?)", (place, item, str(total)))

    def oldest(self, system: str, posting_key: str) -> int | None:
        """The number of the first document under this key."""
        query = "SELECT min(number) FROM documents WHERE system = ? AND posting_key = ?"
        with self._lock:
            row = self._connection.execute(query, (system, posting_key)).fetchone()
        return None if row[0] is None else int(row[0])

    def body(self, system: str, number: int) -> Mapping[str, Any] | None:
        """The document of this number."""
        query = "SELECT body FROM documents WHERE system = ? AND number = ?"
        with self._lock:
            row = self._connection.execute(query, (system, number)).fetchone()
        return None if row is None else json.loads(row[0])

    def entries(self) -> Iterator[Entry]:
        with self._lock:
            rows = self._connection.execute("SELECT number, system, posting_key, kind FROM documents ORDER BY number")
            yield from [Entry(*row) for row in rows]

    def stock(self) -> dict[tuple[str, str], Decimal]:
        """What lies where, as the books have it."""
        with self._lock:
            rows = self._connection.execute("SELECT place, item, quantity FROM stock").fetchall()
        return {(place, item): Decimal(quantity) for place, item, quantity in rows}

    def close(self) -> None:
        with self._lock:
            self._connection.close()
