"""Measure what has ended, died or was raised, in the transaction that takes away the row which says so: each once,
whatever is killed. docs/decisions/0025 defines every measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.projections.buckets import bucket_of
from app.projections.processes import Process, process_of
from app.projections.right import have_right
from app.store.documents import CANONICAL, ENRICHED, load_documents
from app.store.exception_tables import BusinessException
from app.store.measure_notes import Noted
from app.store.measure_tables import Measure, MeasureNote, MeasureTotal
from app.store.messages_tables import Message, TimelineEntry
from app.store.session import Store
from config.topology import Topology

PORTION = 250
ITSELF = "lineside"
POSTED, DEAD = "posted", "dead"


class Lasted(StrEnum):
    """Durations, each a histogram."""

    EVENT_TO_POSTED = "event_to_posted"
    ACCEPTED_TO_POSTED = "accepted_to_posted"
    RESOLUTION = "resolution"
    BACKLOG_AGE = "backlog_age"


class Counted(StrEnum):
    POSTED = "posted"
    DISCARDED = "discarded"
    HANDLED = "handled"
    WITHIN_LEVEL = "within_level"
    BEYOND_LEVEL = "beyond_level"
    DIED = "died"
    SETTLED = "settled"
    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Yardstick:
    """By what is measured: each plant's own calendar, and within how many seconds from acceptance a message is to be
    posted, where the topology has such a service level. A plant that the topology lost is measured by UTC."""

    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    level_seconds: float | None = None

    @classmethod
    def of(cls, topology: Topology) -> Yardstick:
        zones = {code: ZoneInfo(plant.timezone) for code, plant in topology.plants.items()}
        return cls(zones, topology.service_levels.get("accept_to_posted_seconds"))

    def day_of(self, plant: str, moment: datetime) -> date:
        return moment.astimezone(self.zones.get(plant, UTC)).date()


@dataclass
class Tally:
    """What a portion adds up to, by plant, day, process, measure and bucket."""

    yardstick: Yardstick
    numbers: Counter[tuple[str, date, str, str, int]] = field(default_factory=Counter)

    def count(self, plant: str, at: datetime, process: Process, what: Counted) -> None:
        self.numbers[plant, self.yardstick.day_of(plant, at), process.value, what.value, 0] += 1

    def lasted(self, plant: str, at: datetime, process: Process, what: Lasted, seconds: float) -> None:
        self.numbers[plant, self.yardstick.day_of(plant, at), process.value, what.value, bucket_of(seconds)] += 1

    def write(self, session: Session) -> None:
        """Add it to what is there. Rows in one order, so that two who write never wait for each other in a circle."""
        totals: Counter[tuple[str, str, str, int]] = Counter()
        for (plant, _, process, measure, bucket), number in self.numbers.items():
            totals[plant, process, measure, bucket] += number
        _add(session, Measure, self.numbers)
        _add(session, MeasureTotal, totals)


def _add(session: Session, table: type[Any], numbers: Mapping[Any, int]) -> None:
    if not numbers:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    key = [column.name for column in table.__table__.primary_key]
    more = {"number": table.number + statement.excluded.number}
    rows = [dict(zip(key, one, strict=True)) | {"number": number} for one, number in sorted(numbers.items())]
    session.connection().execute(statement.on_conflict_do_update(index_elements=key, set_=more), rows)


def measure_posted(session: Session, ids: Collection[int], documents: Mapping[int, Any], yardstick: Yardstick) -> None:
    """These messages were posted. ``documents``: their enriched documents, as far as they are at hand."""
    tally = Tally(yardstick)
    _measure_posted(session, ids, documents, tally)
    tally.write(session)


def measure_noted(store: Store, yardstick: Yardstick) -> bool:
    """Measure the oldest that are noted; whether there may be more. Nothing while another worker measures."""
    with store.writing() as session:
        if not have_right(session):
            return False
        notes = list(session.scalars(select(MeasureNote).order_by(MeasureNote.id).limit(PORTION)))
        if not notes:
            return False
        tally = Tally(yardstick)
        for kind, measure in _MEASURES.items():
            at: dict[int, datetime] = {}
            for each in notes:
                if each.kind == kind:
                    at.setdefault(each.subject_id, each.at)
            if at:
                measure(session, at, tally)
        tally.write(session)
        taken = delete(MeasureNote).where(MeasureNote.id.in_([each.id for each in notes]))
        session.execute(taken, execution_options={"synchronize_session": False})
        return len(notes) == PORTION


def is_anything_noted(session: Session) -> bool:
    return session.scalars(select(MeasureNote.id).limit(1)).first() is not None


@dataclass(frozen=True)
class _Lived:
    """What persons and Lineside did with a message: when it died first, when it was first posted, and when a person
    first did something about it. None where that never happened."""

    died_at: datetime | None = None
    posted_at: datetime | None = None
    handled_at: datetime | None = None

    @property
    def unsettled_at(self) -> datetime | None:
        """When it died, where it was not posted afterwards: posting it has settled that for good."""
        is_settled = self.died_at is None or (self.posted_at is not None and self.posted_at >= self.died_at)
        return None if is_settled else self.died_at


def _lives(session: Session, ids: Collection[int], posted: Collection[int]) -> dict[int, _Lived]:
    """Read from their timelines; when they were posted only for the ``posted`` ones, which are mostly known anyway."""
    entry = TimelineEntry
    told = [entry.to_state == DEAD, entry.actor != ITSELF]
    if posted:
        told.append(entry.to_state == POSTED)
    columns = (entry.message_id, entry.at, entry.actor, entry.from_state, entry.to_state)
    query = select(*columns).where(entry.message_id.in_(sorted(ids)), entry.from_state.is_not(None), or_(*told))
    found: dict[int, dict[str, datetime]] = {}
    for row in session.execute(query.order_by(entry.message_id, entry.id)):
        first = found.setdefault(row.message_id, {})
        if row.to_state == DEAD != row.from_state:
            first.setdefault("died_at", row.at)
        if row.to_state == POSTED:
            first.setdefault("posted_at", row.at)
        if row.actor != ITSELF:
            first.setdefault("handled_at", row.at)
    return {key: _Lived(**first) for key, first in found.items()}


def _measure_posted(session: Session, ids: Collection[int], documents: Mapping[int, Any], tally: Tally) -> None:
    columns = (Message.id, Message.plant, Message.state, Message.received_at, Message.state_at)
    rows = session.execute(select(*columns).where(Message.id.in_(sorted(ids)))).all()
    lives = _lives(session, ids, [row.id for row in rows if row.state != POSTED])
    lacking = [row.id for row in rows if row.id not in documents]
    documents = {**documents, **(load_documents(session, lacking, ENRICHED) if lacking else {})}
    level = tally.yardstick.level_seconds
    for row in rows:
        lived = lives.get(row.id, _Lived())
        at = row.state_at if row.state == POSTED else lived.posted_at or row.state_at
        event_type, event_at = _event(documents.get(row.id))
        process = process_of(event_type)
        took = (at - row.received_at).total_seconds()
        tally.count(row.plant, at, process, Counted.POSTED)
        tally.lasted(row.plant, at, process, Lasted.ACCEPTED_TO_POSTED, took)
        if event_at is not None:
            tally.lasted(row.plant, at, process, Lasted.EVENT_TO_POSTED, (at - event_at).total_seconds())
        if level is not None:
            within = Counted.WITHIN_LEVEL if took <= level else Counted.BEYOND_LEVEL
            tally.count(row.plant, at, process, within)
        if lived.handled_at is not None and lived.handled_at <= at:
            tally.count(row.plant, at, process, Counted.HANDLED)
        if lived.died_at is not None and lived.died_at <= at:
            _settle(tally, row.plant, at, process, lived.died_at)


def _settle(tally: Tally, plant: str, at: datetime, process: Process, died_at: datetime) -> None:
    tally.count(plant, at, process, Counted.SETTLED)
    tally.lasted(plant, at, process, Lasted.RESOLUTION, (at - died_at).total_seconds())


def _event(document: Any) -> tuple[str | None, datetime | None]:
    """Type and time of the first event; None for what cannot be read: a torn document stops nobody."""
    try:
        event_type, moment = document[0]["type"], datetime.fromisoformat(document[0]["data"]["event_time"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None, None
    return event_type if isinstance(event_type, str) else None, None if moment.tzinfo is None else moment


def _note_posted(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    _measure_posted(session, at, {}, tally)


def _note_died(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    """The first time only: one that is requeued and dies again is the same trouble."""
    lives = _lives(session, at, ())
    for row, process in _of_process(session, at):
        if lives.get(row.id, _Lived()).died_at == at[row.id]:
            tally.count(row.plant, at[row.id], process, Counted.DIED)


def _note_discarded(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    """By a person, who else."""
    for row, process in _of_process(session, at):
        tally.count(row.plant, at[row.id], process, Counted.DISCARDED)
        tally.count(row.plant, at[row.id], process, Counted.HANDLED)
    _note_undone(session, at, tally)


def _note_undone(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    """It ended without effect: what a dead letter asked of people is settled."""
    lives = _lives(session, at, at)
    dead = {key: life.unsettled_at for key, life in lives.items() if life.unsettled_at is not None}
    for row, process in _of_process(session, dead) if dead else ():
        _settle(tally, row.plant, at[row.id], process, dead[row.id])


def _of_process(session: Session, ids: Collection[int]) -> list[tuple[Any, Process]]:
    """Each of these messages with its process, from what it became as far as it came."""
    wanted = sorted(ids)
    documents = load_documents(session, wanted, CANONICAL) | load_documents(session, wanted, ENRICHED)
    rows = session.execute(select(Message.id, Message.plant).where(Message.id.in_(wanted)))
    return [(row, process_of(_event(documents.get(row.id))[0])) for row in rows]


def _note_raised(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    for row in _exceptions(session, at):
        tally.count(row.plant or "", row.first_seen_at, Process.OTHER, Counted.RAISED)


def _note_resolved(session: Session, at: Mapping[int, datetime], tally: Tally) -> None:
    for row in _exceptions(session, at):
        plant, ended_at = row.plant or "", row.resolved_at or at[row.id]
        tally.count(plant, ended_at, Process.OTHER, Counted.RESOLVED)
        seconds = (ended_at - row.first_seen_at).total_seconds()
        tally.lasted(plant, ended_at, Process.OTHER, Lasted.RESOLUTION, seconds)


def _exceptions(session: Session, ids: Collection[int]) -> Sequence[Any]:
    columns = (BusinessException.id, BusinessException.plant, BusinessException.first_seen_at)
    query = select(*columns, BusinessException.resolved_at).where(BusinessException.id.in_(sorted(ids)))
    return session.execute(query).all()


_MEASURES = {
    Noted.POSTED.value: _note_posted,
    Noted.DIED.value: _note_died,
    Noted.DISCARDED.value: _note_discarded,
    Noted.UNDONE.value: _note_undone,
    Noted.RAISED.value: _note_raised,
    Noted.RESOLVED.value: _note_resolved,
}
