"""Remember what was read, and from where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.reading_tables import ReadingMark, ReadRecord

KEY_LENGTH = 120
_LOOKED_UP_AT_ONCE = 500


@dataclass(frozen=True)
class Mark:
    """How far a reading came; see ``ReadingMark``."""

    due_at: datetime
    cursor_at: datetime | None = None
    read_at: datetime | None = None
    full_at: datetime | None = None


@dataclass(frozen=True)
class Remembered:
    """A record as it was read last; see ``ReadRecord``."""

    digest: str = ""
    revision: int = 0
    changed_at: datetime | None = None
    fault: str | None = None


def load_mark(session: Session, source: str, target: str, domain: str) -> Mark | None:
    found = session.get(ReadingMark, (source, target, domain))
    return None if found is None else Mark(found.due_at, found.cursor_at, found.read_at, found.full_at)


def save_mark(session: Session, source: str, target: str, domain: str, mark: Mark) -> None:
    keys = {"source": source, "target": target, "domain": domain}
    _replace(session, ReadingMark, list(keys), [keys | asdict(mark)])


def load_records(session: Session, source: str, domain: str, keys: Sequence[str]) -> dict[str, Remembered]:
    """Those of ``keys`` that were read before."""
    found: dict[str, Remembered] = {}
    for start in range(0, len(keys), _LOOKED_UP_AT_ONCE):
        query = select(ReadRecord.key, *(getattr(ReadRecord, name) for name in Remembered.__annotations__)).where(
            ReadRecord.source == source,
            ReadRecord.domain == domain,
            ReadRecord.key.in_(keys[start : start + _LOOKED_UP_AT_ONCE]),
        )
        found |= {row[0]: Remembered(*row[1:]) for row in session.execute(query)}
    return found


def save_records(session: Session, source: str, domain: str, records: dict[str, Remembered]) -> None:
    rows = [{"source": source, "domain": domain, "key": key, **asdict(record)} for key, record in records.items()]
    if rows:
        _replace(session, ReadRecord, ["source", "domain", "key"], rows)


def _replace(session: Session, table: Any, keys: list[str], rows: list[dict[str, Any]]) -> None:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)
