"""The books of a practice double: every document once by its key, kept in a small SQLite file through restarts."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY,
    posting_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    plant TEXT NOT NULL,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,
    reverses INTEGER UNIQUE REFERENCES documents (number)
)
"""
_COLUMNS = "number, posting_key, kind, plant, body, digest, reverses"


@dataclass(frozen=True)
class Entry:
    """A document as it stands in the books; ``reverses`` is the number of the document that it undoes."""

    number: int
    posting_key: str
    kind: str
    plant: str
    body: str
    digest: str
    reverses: int | None


class Conflict(Exception):
    """The books hold something else under this key, or the document is reversed already."""


class Books:
    """One connection behind one lock. A commit survives the end of the process, which is what a double promises.

    ``sent_again`` counts documents that came although the books held them: a sender that asks first makes it none.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_TABLE)
        self.sent_again = 0

    def write(
        self, key: str, kind: str, plant: str, body: Mapping[str, Any], reverses: int | None = None
    ) -> tuple[Entry, bool]:
        """The entry under this key, and whether it is new. Raises Conflict where the key means something else."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(f"{kind}\n{reverses}\n{text}".encode()).hexdigest()
        with self._lock:
            number = self._insert((key, kind, plant, text, digest, reverses))
            found = self._find("posting_key = ?", key)
            self.sent_again += number is None
        if found is None:
            raise Conflict("the document is reversed already under another key")
        if found.digest != digest:
            raise Conflict("this key was used for another document")
        return found, number is not None

    def find(self, key_or_number: str) -> Entry | None:
        with self._lock:
            found = self._find("posting_key = ?", key_or_number)
            if found is None and key_or_number.isascii() and key_or_number.isdigit() and len(key_or_number) < 18:
                found = self._find("number = ?", int(key_or_number))
            return found

    def reversal_of(self, number: int) -> Entry | None:
        with self._lock:
            return self._find("reverses = ?", number)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Documents and reversals by plant."""
        query = "SELECT plant, count(*) - count(reverses), count(reverses) FROM documents GROUP BY plant ORDER BY plant"
        with self._lock:
            rows = self._connection.execute(query).fetchall()
        return {
            "documents": {plant: documents for plant, documents, _ in rows},
            "reversals": {plant: reversals for plant, _, reversals in rows},
        }

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _insert(self, values: tuple[Any, ...]) -> int | None:
        query = (
            "INSERT INTO documents (posting_key, kind, plant, body, digest, reverses) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING number"
        )
        row = self._connection.execute(query, values).fetchone()
        return int(row[0]) if row else None

    def _find(self, where: str, value: Any) -> Entry | None:
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM documents WHERE {where}", (value,)).fetchone()
        return Entry(*row) if row else None
