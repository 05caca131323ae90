"""Notes of what sources were heard saying: added in bulk by whoever stores, taken away by whoever keeps the books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.completeness_tables import SourceNote, SourceNumbers

TAKE_MOST = 20_000

SeriesKey = tuple[str, str, str]
"""source, plant or '', series"""

SEQUENCE, HEARTBEAT = "sequence", "heartbeat"


def file_series(pattern: str) -> str:
    return f"file:{pattern}"


@dataclass(frozen=True)
class Note:
    """``seen``: numbers that came; ``again``: that came once more, rightly. ``unnumbered``: something came and its
    number cannot be read. ``heard``: a sign of life. ``waived``: a person says that these numbers of this ``run`` never
    come."""

    source: str
    plant: str
    series: str
    kind: Literal["seen", "again", "unnumbered", "heard", "waived"]
    at: datetime
    first: int | None = None
    last: int | None = None
    run: int | None = None

    @property
    def key(self) -> SeriesKey:
        return self.source, self.plant, self.series


def add_notes(session: Session, notes: Sequence[Note]) -> None:
    if notes:
        session.connection().execute(insert(SourceNote), [asdict(note) for note in notes])


def take_notes(session: Session) -> list[Note]:
    """The oldest notes, TAKE_MOST at the most, in the order in which they were added; they are gone with the caller's
    commit. Two that take at once take different ones."""
    chosen = select(SourceNote.id).order_by(SourceNote.id).limit(TAKE_MOST).with_for_update(skip_locked=True)
    taking = chosen.cte("taking").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = session.execute(
        delete(SourceNote)
        .where(SourceNote.id.in_(select(taking.c.id)))
        .returning(*SourceNote.__table__.c)
        .execution_options(synchronize_session=False)
    )
    found = sorted(rows.mappings(), key=lambda row: row["id"])
    return [Note(**{name: row[name] for name in Note.__dataclass_fields__}) for row in found]


def hold_series(session: Session, keys: Iterable[SeriesKey], now: datetime) -> dict[SeriesKey, SourceNumbers]:
    """The rows of these series, made where there are none, and nobody else's until the commit."""
    wanted = sorted(set(keys))
    rows = _held(session)
    missing = [key for key in wanted if key not in rows]
    if missing:
        build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
        values = [{"source": s, "plant": p, "series": n, "book": None, "counts_from": now} for s, p, n in missing]
        session.connection().execute(build(SourceNumbers).on_conflict_do_nothing(), values)
        rows = _held(session)
    return {key: rows[key] for key in wanted}


def _held(session: Session) -> dict[SeriesKey, SourceNumbers]:
    """All series that there ever were: as many as the topology has named."""
    query = select(SourceNumbers).order_by(SourceNumbers.source, SourceNumbers.plant, SourceNumbers.series)
    return {(row.source, row.plant, row.series): row for row in session.scalars(query.with_for_update())}
