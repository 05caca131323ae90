"""Ask a target for what it does not send by itself, and take in what is new or has changed as messages of a source."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from app.adapters.base import Document
from app.errors import LinesideError, Refused, TargetPaused, wished_seconds
from app.inbox.accept import Incoming, accept_messages
from app.inbox.claim import new_token
from app.pipeline.context import Pipeline
from app.pipeline.read_orders import ReadOrder, changed_at, check_order, places_of
from app.projections.production_orders import RELEASED
from app.store.leases import keep_lease, lease_is_free, take_lease
from app.store.readings import Mark, Remembered, load_mark, load_records, save_mark, save_records
from app.telemetry import metrics
from config.topology import Reading, Source, Target
from mappings.canonical.contract import ordering_key
from mappings.context import Event

log = structlog.get_logger()

Nudge = Callable[[str, int], None]

FULL_EVERY = timedelta(hours=1)
# A target stamps a change with the time at which its transaction began, and shows it when that has ended.
OVERLAP = timedelta(minutes=5)
RETRY_SECONDS = 5.0
# After what only a person can mend.
RETRY_LATER_SECONDS = 60.0
RETRY_CAP_SECONDS = 3_600.0
CLOCKS_DIFFER = timedelta(minutes=1)
ROWS_PER_COMMIT = 500
# A slow target's rows are stored after this time, however few they are, and the lease is renewed.
COMMIT_EVERY_SECONDS = 10.0
LEASE_MARGIN_SECONDS = 30.0


class ReadingLost(Exception):
    """Another worker reads here now; this one stores nothing more."""


def due_readings(pipeline: Pipeline) -> list[tuple[str, str]]:
    """(source, domain) of everything that should be read now and that nobody is reading."""
    now = pipeline.clock()
    with pipeline.store.reading() as session:
        return [
            (source.code, reading.domain)
            for source in pipeline.topology.sources.values()
            for reading in source.reads
            if _is_due(load_mark(session, source.code, reading.target, reading.domain), reading, now)
            and lease_is_free(session, _lease_name(source, reading), now, _lease_seconds(pipeline, reading))
        ]


def read_domain(pipeline: Pipeline, nudge: Nudge, source_code: str, domain: str) -> int:
    """Read once, unless that is not due or another does it; returns how many messages were accepted.

    What a target or network does to it is told in the log, and tried again after a while.
    """
    source = pipeline.topology.sources.get(source_code)
    reading = next((one for one in source.reads if one.domain == domain), None) if source else None
    if source is None or reading is None:
        return 0
    run = _Run(pipeline, nudge, source, reading, pipeline.topology.targets[reading.target], new_token())
    try:
        return run.read()
    except ReadingLost:
        log.warning("reading_lost", source=source.code, target=reading.target, domain=domain)
    except LinesideError as error:
        log.warning("target_not_read", source=source.code, target=reading.target, domain=domain, error=str(error))
        run.end(due_after_seconds=_retry_seconds(error))
    return run.accepted


def _retry_seconds(error: LinesideError) -> float:
    if isinstance(error, (Refused, TargetPaused)):
        return RETRY_LATER_SECONDS
    return min(max(RETRY_SECONDS, wished_seconds(error)), RETRY_CAP_SECONDS)


def _is_due(mark: Mark | None, reading: Reading, now: datetime) -> bool:
    """A time that lies further ahead than it can was noted by a clock that has been set back since."""
    longest = timedelta(seconds=max(reading.every_seconds, RETRY_CAP_SECONDS)) + CLOCKS_DIFFER
    return mark is None or not now < mark.due_at <= now + longest


def _lease_name(source: Source, reading: Reading) -> str:
    return f"read:{source.code}:{reading.target}:{reading.domain}"


def _lease_seconds(pipeline: Pipeline, reading: Reading) -> float:
    """Longer than the longest time between two commits: one call more than a chunk may take."""
    timeout_seconds = pipeline.topology.targets[reading.target].timeout_seconds
    return timeout_seconds + COMMIT_EVERY_SECONDS + LEASE_MARGIN_SECONDS


@dataclass
class _Run:
    """One reading, from taking its lease to giving it back."""

    pipeline: Pipeline
    nudge: Nudge
    source: Source
    reading: Reading
    target: Target
    token: str
    accepted: int = 0
    newest: datetime | None = None
    mark: Mark | None = None

    def read(self) -> int:
        """1. Take the lease. 2. Ask, and store what comes, some hundreds a commit. 3. Note how far it came: what was
        stored before a crash is recognised when it is read again."""
        started = self.pipeline.clock()
        if not self._begin(started):
            return 0
        mark = self.mark or Mark(started)
        full = mark.full_at is None or not timedelta(0) <= started - mark.full_at < FULL_EVERY
        since = None if full or mark.cursor_at is None else mark.cursor_at - OVERLAP
        rows = self.pipeline.adapter_for(self.target.code).read(self.reading.domain, since)
        for chunk in _chunks(rows):
            self._store(chunk)
        self.mark = Mark(started, _cursor(mark, started, self.newest), started, mark.full_at if since else started)
        self.end(due_after_seconds=self.reading.every_seconds)
        if self.accepted or full:
            log.info("target_read", source=self.source.code, target=self.target.code, accepted=self.accepted, full=full)
        return self.accepted

    def _begin(self, now: datetime) -> bool:
        with self.pipeline.store.writing() as session:
            self.mark = load_mark(session, self.source.code, self.reading.target, self.reading.domain)
            if not _is_due(self.mark, self.reading, now):
                return False
            seconds = _lease_seconds(self.pipeline, self.reading)
            return take_lease(session, _lease_name(self.source, self.reading), self.token, now, seconds)

    def end(self, due_after_seconds: float) -> None:
        """Note when to read again, and give the lease back."""
        now = self.pipeline.clock()
        due_at = now + timedelta(seconds=due_after_seconds)
        mark = replace(self.mark, due_at=due_at) if self.mark else Mark(due_at)
        with self.pipeline.store.writing() as session:
            if keep_lease(session, _lease_name(self.source, self.reading), self.token, now, 0.0):
                save_mark(session, self.source.code, self.target.code, self.reading.domain, mark)

    def _store(self, rows: list[Document]) -> None:
        now = self.pipeline.clock()
        orders = self._checked(rows, now)
        with self.pipeline.store.writing() as session:
            # Whoever has lost the lease in between read what is old by now.
            seconds = _lease_seconds(self.pipeline, self.reading)
            if not keep_lease(session, _lease_name(self.source, self.reading), self.token, now, seconds):
                raise ReadingLost
            known = load_records(session, self.source.code, self.reading.domain, list(orders))
            new, faults = self._news(session, orders, known, now)
        for order in faults:
            told = {"source": self.source.code, "target": self.target.code, "order": order.key}
            log.warning("order_not_taken", **told, reason=order.fault)
        metrics.observe_acceptances(self.source.code, "accepted", new.total())
        metrics.observe_acceptances(self.source.code, "refused", len(faults))
        self.accepted += new.total()
        for plant, count in new.items():
            self.nudge(plant, count)

    def _checked(self, rows: list[Document], now: datetime) -> dict[str, ReadOrder]:
        topology = self.pipeline.topology
        places = places_of(topology, self.source, self.target)
        orders: dict[str, ReadOrder] = {}
        for row in rows:
            changed = changed_at(row)
            if changed is not None:
                self.newest = max(changed, self.newest or changed)
            order = check_order(row, topology, self.source, places, now)
            if order is None:
                continue
            first = orders.setdefault(order.key, order)
            if first.digest != order.digest and first.fault is None:
                orders[order.key] = replace(first, fault="it stands there twice, in two forms; leave one of them")
        return orders

    def _news(
        self, session: Session, orders: dict[str, ReadOrder], known: dict[str, Remembered], now: datetime
    ) -> tuple[Counter[str], list[ReadOrder]]:
        """Accept what differs from what is remembered, and remember it; the new messages by plant, and the orders with
        a fault that was not told before."""
        was = {key: known.get(key, Remembered()) for key in orders}
        faults = [order for key, order in orders.items() if order.fault is not None and order.fault != was[key].fault]
        news = [order for key, order in orders.items() if order.fault is None and order.digest != was[key].digest]
        mended = [key for key, order in orders.items() if order.fault is None and was[key].fault is not None]
        incoming = [self._incoming(order, was[order.key].revision + 1) for order in news]
        records = {order.key: replace(was[order.key], fault=order.fault) for order in faults}
        records |= {key: replace(was[key], fault=None) for key in mended}
        plants: Counter[str] = Counter()
        for order, message, answer in zip(news, incoming, accept_messages(session, incoming, now), strict=True):
            record = Remembered(order.digest, was[order.key].revision + 1, _moment(order))
            if answer.status == "conflict":
                # Somebody sent other content under this very id: the next revision's id is tried when it is read again.
                told = f"message {answer.id} has the id {message.source_message_id} already"
                record = replace(record, digest=was[order.key].digest, fault=told)
                faults.append(replace(order, fault=told))
            records[order.key] = record
            plants[order.plant] += answer.status == "accepted"
        save_records(session, self.source.code, self.reading.domain, records)
        return +plants, faults

    def _incoming(self, order: ReadOrder, revision: int) -> Incoming:
        """The revision is the message's sequence, so a later one takes effect later; a release has no other sender."""
        return Incoming(
            plant=order.plant,
            source=self.source.code,
            source_message_id=f"{self.reading.domain}/{order.key}/{revision}",
            type=RELEASED,
            content_type="application/json",
            body=json.dumps(order.data, ensure_ascii=False, separators=(",", ":")).encode(),
            digest=order.digest,
            ordering_key=ordering_key(Event(RELEASED, order.data)),
            sequence=str(revision),
            note=f"Read from target {self.target.code}, revision {revision}.",
        )


def _moment(order: ReadOrder) -> datetime:
    return datetime.fromisoformat(order.data["event_time"])


def _cursor(mark: Mark, started: datetime, newest: datetime | None) -> datetime | None:
    """The target's clock when this reading began, as far as it is known: its newest change, or the last known time and
    what has passed since. Never ahead of our own clock, as a single wrong date would hide all that comes after."""
    passed = [mark.cursor_at + (started - mark.read_at)] if mark.cursor_at and mark.read_at else []
    known = passed + ([newest] if newest else [])
    return min(max(known), started) if known else None


def _chunks(rows: Iterable[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    began = time.monotonic()
    for row in rows:
        chunk.append(row)
        if len(chunk) >= ROWS_PER_COMMIT or time.monotonic() - began >= COMMIT_EVERY_SECONDS:
            yield chunk
            chunk, began = [], time.monotonic()
    if chunk:
        yield chunk
