"""Bring the ledger up to the messages that took effect, a portion at a time, and build it anew from them.

Who makes a message posted, or compensated, leaves one row that says so, in the same transaction. A portion's rows go in
the transaction that enters them, so each counts once whatever is killed; one worker at a time does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from app.projections.holds import HoldLine, already_held, enter_holds, holds_of, holds_stock, void_holds
from app.projections.ledger import Entry, already_entered, enter, void
from app.projections.movements import legs_of, moves_stock
from app.projections.order_needs import (
    Release,
    enter_releases,
    orders_of,
    releases_of,
    releases_order,
    settle_needs,
    void_releases,
)
from app.projections.order_reports import (
    ReportLine,
    already_reported,
    enter_reports,
    lines_of,
    reports_of_order,
    void_reports,
)
from app.store.access_tables import Lease
from app.store.availability_tables import Hold, OrderMaterial, OrderNeed
from app.store.documents import ENRICHED, load_documents
from app.store.leases import NEVER_HELD
from app.store.ledger_tables import Effect, ItemStock, Movement, Stock
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport, TransformationLot
from app.store.session import Store, allow_long_statements
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Event, ItemFacts, MappingError

log = structlog.get_logger()

Clock = Callable[[], datetime]

PROJECTIONS = (
    *(Effect, Movement, ItemStock, Stock),
    *(OrderReport, OrderItem, OrderProgress, TransformationLot),
    *(Hold, OrderMaterial, OrderNeed),
)
PORTION = 250
RIGHT = "projections"
BEHIND_MOST = 10_000
"""As far as those that are still to be entered are counted: beyond that the number says "at least"."""


@dataclass(frozen=True)
class Behind:
    """How far the projections are behind what took effect. ``messages``: at most BEHIND_MOST are counted; ``since``:
    when the oldest of them took effect; ``faults``: how many cannot be entered."""

    messages: int
    since: datetime | None
    faults: int


@dataclass(frozen=True)
class Round:
    """``goes_on``: whether there was more than its time allowed."""

    entered: int
    goes_on: bool


def note_effects(session: Session, message_ids: Iterable[int], now: datetime, *, undo: bool = False) -> None:
    """These messages take effect, or are undone, in the caller's transaction."""
    rows = [{"message_id": key, "undo": undo, "at": now} for key in message_ids]
    if rows:
        session.connection().execute(insert(Effect), rows)


def project(store: Store, clock: Clock, seconds: float) -> Round:
    """Enter what took effect, portion after portion, for so long at most."""
    until = time.monotonic() + seconds
    entered = 0
    while True:
        portion = _enter_portion(store, clock)
        entered += portion
        if portion < PORTION or time.monotonic() >= until:
            return Round(entered, goes_on=portion == PORTION)


def _enter_portion(store: Store, clock: Clock) -> int:
    """Enter one portion; where the database cannot hold the whole, each by itself."""
    try:
        with store.writing() as session:
            effects = _take(session, PORTION)
            _enter_effects(session, effects, clock())
            return len(effects)
    except DataError:
        log.warning("projection_portion_failed")
    for _ in range(PORTION):
        if not _enter_one(store, clock):
            break
    return PORTION


def _enter_one(store: Store, clock: Clock) -> bool:
    """The oldest alone; what is at fault is passed over from then on. False where none is left."""
    try:
        with store.writing() as session:
            effects = _take(session, 1)
            _enter_effects(session, effects, clock())
            return bool(effects)
    except DataError as error:
        with store.writing() as session:
            _put_aside(session, _take(session, 1), f"The database cannot hold it ({type(error.orig).__name__}).")
        return True


def _take(session: Session, most: int) -> list[Effect]:
    """The oldest that are still to be entered; none while another worker enters some."""
    if not _have_right(session):
        return []
    query = select(Effect).where(Effect.fault.is_(None)).order_by(Effect.id).limit(most)
    return list(session.execute(query).scalars())


def _have_right(session: Session) -> bool:
    """Until the transaction ends, nobody else changes the ledger."""
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    session.execute(build(Lease).values(name=RIGHT, token=None, until=NEVER_HELD).on_conflict_do_nothing())
    query = select(Lease.name).where(Lease.name == RIGHT).with_for_update(skip_locked=True)
    return session.execute(query).scalar_one_or_none() is not None


def _enter_effects(session: Session, effects: Sequence[Effect], now: datetime) -> None:
    """In their order: what is undone took effect before."""
    start = 0
    for end in range(1, len(effects) + 1):
        if end == len(effects) or effects[end].undo != effects[start].undo:
            part = effects[start:end]
            if part[0].undo:
                _void_messages(session, {effect.message_id for effect in part}, now)
                _drop(session, part)
            else:
                _enter_messages(session, part, now)
            start = end


def _void_messages(session: Session, message_ids: set[int], now: datetime) -> None:
    void(session, message_ids, now)
    void_holds(session, message_ids, now)
    settle_needs(session, void_reports(session, message_ids, now) | void_releases(session, message_ids))


def _enter_messages(session: Session, effects: Sequence[Effect], now: datetime) -> None:
    ids = sorted({effect.message_id for effect in effects})
    known = already_entered(session, ids) | already_reported(session, ids) | already_held(session, ids)
    documents = load_documents(session, [key for key in ids if key not in known], ENRICHED)
    plants = {
        row.id: row.plant for row in session.execute(select(Message.id, Message.plant).where(Message.id.in_(ids)))
    }
    said = _Said()
    faulty: dict[int, str] = {}
    for key in ids:
        if key in known:
            continue
        try:
            said.add(_read(key, plants[key], documents[key]))
        except MappingError as error:
            faulty[key] = f"{error.code}: {error.reason}"
        except (KeyError, TypeError, ValueError) as error:
            faulty[key] = f"Its enriched document cannot be read ({type(error).__name__})."
    enter(session, said.entries, now)
    enter_reports(session, said.reports, now)
    enter_holds(session, said.holds, now)
    enter_releases(session, said.releases)
    settle_needs(session, {line.order for line in said.reports} | orders_of(said.releases))
    for effect in effects:
        if effect.message_id in faulty:
            _put_aside(session, [effect], faulty[effect.message_id])
    _drop(session, [effect for effect in effects if effect.message_id not in faulty])


@dataclass
class _Said:
    """What events say of stock, of its use, and of orders."""

    entries: list[Entry] = field(default_factory=list)
    reports: list[ReportLine] = field(default_factory=list)
    holds: list[HoldLine] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)

    def add(self, other: _Said) -> None:
        self.entries += other.entries
        self.reports += other.reports
        self.holds += other.holds
        self.releases += other.releases


def _read(message_id: int, plant: str, document: Sequence[Mapping[str, Any]]) -> _Said:
    """What the events of one message say."""
    said = _Said()
    for index, stored in enumerate(document):
        event = newest(Event(stored["type"], stored["data"]))
        items = _items_then(stored)
        named = contract.document_text(event.data.get("document_ref") or {})
        named = named or (f"delivery:{event.data['delivery_id']}" if "delivery_id" in event.data else None)
        told = (event.data.get("order_id"), named, event.data.get("reason"))
        legs = enumerate(legs_of(plant, event, items))
        said.entries += [Entry(message_id, index, n, leg, contract.event_time(event), *told) for n, leg in legs]
        said.reports += lines_of(message_id, index, plant, event, items)
        said.holds += holds_of(message_id, index, plant, event, items)
        said.releases += releases_of(message_id, plant, event, items)
    return said


def is_reported(event: Event) -> bool:
    """Whether the event says anything that is projected."""
    return moves_stock(event) or reports_of_order(event) or holds_stock(event) or releases_order(event)


def _items_then(stored: Mapping[str, Any]) -> dict[str, ItemFacts]:
    """The items as they were when the event was enriched: what they become later changes no stock."""
    return {
        code: ItemFacts(
            code, was["description"], was["base_uom"], {unit: Decimal(factor) for unit, factor in was["units"].items()}
        )
        for code, was in stored["context"]["items"].items()
    }


def _put_aside(session: Session, effects: Sequence[Effect], fault: str) -> None:
    for effect in effects:
        log.error("message_not_projected", message_id=effect.message_id, fault=fault)
        session.execute(update(Effect).where(Effect.id == effect.id).values(fault=fault[:500]))


def _drop(session: Session, effects: Sequence[Effect]) -> None:
    ids = [effect.id for effect in effects]
    session.execute(delete(Effect).where(Effect.id.in_(ids)), execution_options={"synchronize_session": False})


def rebuild(store: Store, now: datetime) -> int | None:
    """Empty the projections and have every message that has taken effect entered again; returns how many those are, or
    None while another worker enters some. ``project`` does the entering."""
    with store.writing() as session:
        if not _have_right(session):
            return None
        allow_long_statements(session.connection())
        for table in PROJECTIONS:
            session.execute(delete(table).execution_options(synchronize_session=False))
        posted = select(Message.id, literal(False), literal(now, Effect.at.type)).where(Message.state == "posted")
        session.execute(insert(Effect).from_select(["message_id", "undo", "at"], posted.order_by(Message.id)))
        return session.execute(select(func.count()).select_from(Effect)).scalar_one()


def has_effects(session: Session) -> bool:
    """Whether any that can be entered is still to be."""
    return session.execute(select(Effect.id).where(Effect.fault.is_(None)).limit(1)).first() is not None


def behind(session: Session) -> Behind:
    """How much is still to be entered."""
    left, faulty = Effect.fault.is_(None), Effect.fault.is_not(None)
    waiting = select(Effect.id, Effect.at).where(left).order_by(Effect.id).limit(BEHIND_MOST).subquery()
    number, since = session.execute(select(func.count(waiting.c.id), func.min(waiting.c.at))).one()
    faults = session.execute(select(func.count()).select_from(Effect).where(faulty)).scalar_one()
    return Behind(number, since, faults)
