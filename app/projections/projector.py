"""Bring the ledger up to the messages that took effect, a portion at a time, and build it anew from them.

Who makes a message posted, or compensated, leaves one row that says so, in the same transaction. A portion's rows go in
the transaction that enters them, so each counts once whatever is killed; one worker at a time does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import localcontext
from typing import Any

import structlog
from sqlalchemy import Text, and_, delete, func, insert, literal, or_, select, type_coerce, update
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from app.projections.effects import COMPENSATED, has_effect, said_nothing
from app.projections.facts import TABLES as FACTS
from app.projections.facts import already_told, enter_facts, void_facts
from app.projections.feed import tell
from app.projections.holds import already_held, enter_holds, void_holds
from app.projections.ledger import already_entered, enter, void
from app.projections.measuring import Yardstick, measure_noted, measure_posted
from app.projections.measuring_anew import can_measure_anew, forget_measures, note_all
from app.projections.order_needs import enter_releases, orders_of, settle_needs, void_releases
from app.projections.order_reports import already_reported, enter_reports, void_reports
from app.projections.reservation_uses import enter_uses, forget_uses, void_uses
from app.projections.right import have_right
from app.projections.said import Said, read_said
from app.projections.transfers import already_transferred, enter_transfers, void_transfers
from app.projections.withdrawals import end_withdrawals
from app.store.availability_tables import Hold, OrderMaterial, OrderNeed
from app.store.documents import ENRICHED, load_documents
from app.store.ledger_tables import Effect, ItemStock, Movement, Stock, TransferTelling
from app.store.messages_tables import Message, MessageDocument
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport, TransformationLot
from app.store.session import Store, allow_long_statements
from app.store.trouble import raise_if_not_of_data
from mappings.context import MappingError

log = structlog.get_logger()

Clock = Callable[[], datetime]

PROJECTIONS = (
    *(Movement, ItemStock, Stock, TransferTelling),
    *(OrderReport, OrderItem, OrderProgress, TransformationLot),
    *(Hold, OrderMaterial, OrderNeed),
    *FACTS,
)
PORTION = 250
CHARACTERS_MOST = 500_000
"""Of a portion's documents. A message may name thousands of serials, each a place of its own: 250 such would hold
SQLite's only writer up for longer than others wait for it, and a worker for longer than its task may take."""
DIGITS = 80
"""Of sums: Python would round them to 28, which is one more than a single amount may have."""


@dataclass(frozen=True)
class Round:
    """``goes_on``: whether there was more than its time allowed."""

    entered: int
    goes_on: bool


def project(store: Store, clock: Clock, seconds: float, yardstick: Yardstick | None = None) -> Round:
    """Enter what took effect, portion after portion, for so long at most, and measure it by the ``yardstick``."""
    yardstick = yardstick or Yardstick()
    until = time.monotonic() + seconds
    entered = 0
    while True:
        portion, is_more = _enter_portion(store, clock, yardstick)
        is_more = measure_noted(store, yardstick) or is_more
        entered += portion
        if not is_more or time.monotonic() >= until:
            return Round(entered, goes_on=is_more)


def _enter_portion(store: Store, clock: Clock, yardstick: Yardstick) -> tuple[int, bool]:
    """Enter one portion; where the database cannot hold the whole, each by itself. Returns how many, and whether there
    are more."""
    try:
        with store.writing() as session:
            effects, is_more = _take(session, PORTION)
            _enter_effects(session, effects, clock(), yardstick)
            return len(effects), is_more
    except StatementError as error:
        raise_if_not_of_data(error)
        log.warning("projection_portion_failed")
    for number in range(PORTION):
        if not _enter_one(store, clock, yardstick):
            return number, False
    return PORTION, True


def _enter_one(store: Store, clock: Clock, yardstick: Yardstick) -> bool:
    """The oldest alone; what is at fault is passed over from then on. False where none is left."""
    taken: list[tuple[int, int]] = []
    try:
        with store.writing() as session:
            effects, _ = _take(session, 1)
            taken = [(effect.id, effect.message_id) for effect in effects]
            _enter_effects(session, effects, clock(), yardstick)
    except StatementError as error:
        raise_if_not_of_data(error)
        # This very one: since the right was given up with the transaction, another may be the oldest by now.
        fault = f"The database cannot hold it ({type(error.orig).__name__})."
        with store.writing() as session:
            if have_right(session):
                for effect_id, _ in taken:
                    _measure_faulty(session, effect_id, yardstick)
                _pass_over(session, taken, fault, clock())
    return bool(taken)


def _pass_over(session: Session, taken: Sequence[tuple[int, int]], fault: str, now: datetime) -> None:
    """No projection can hold it; it took effect all the same, so the feed tells of it."""
    effects = session.scalars(select(Effect).where(Effect.id.in_([effect_id for effect_id, _ in taken]))).all()
    tell(session, effects, load_documents(session, [key for _, key in taken], ENRICHED), now)
    for effect_id, message_id in taken:
        _put_aside(session, effect_id, message_id, fault)


def _take(session: Session, most: int) -> tuple[list[Effect], bool]:
    """The oldest that are still to be entered, and whether there are more; none while another worker enters some."""
    if not have_right(session):
        return [], False
    of_it = and_(MessageDocument.message_id == Effect.message_id, MessageDocument.step == ENRICHED)
    query = select(Effect, func.length(type_coerce(MessageDocument.body, Text))).outerjoin(MessageDocument, of_it)
    rows = session.execute(query.where(Effect.fault.is_(None)).order_by(Effect.id).limit(most + 1)).all()
    taken: list[Effect] = []
    left = CHARACTERS_MOST
    for effect, length in rows[:most]:
        left -= length or 0
        if left < 0 and taken:
            break
        taken.append(effect)
    return taken, len(rows) > len(taken)


def _enter_effects(session: Session, effects: Sequence[Effect], now: datetime, yardstick: Yardstick) -> None:
    """In their order: what is undone took effect before. The feed tells of them first."""
    documents = load_documents(session, sorted({effect.message_id for effect in effects}), ENRICHED)
    tell(session, effects, documents, now)
    with localcontext(prec=DIGITS):
        _enter_in_order(session, effects, documents, now, yardstick)


def _enter_in_order(
    session: Session, effects: Sequence[Effect], documents: Mapping[int, Any], now: datetime, yardstick: Yardstick
) -> None:
    start = 0
    for end in range(1, len(effects) + 1):
        if end == len(effects) or effects[end].undo != effects[start].undo:
            part = effects[start:end]
            if part[0].undo:
                _void_messages(session, {effect.message_id for effect in part}, now)
                _drop(session, part)
            else:
                _enter_messages(session, part, documents, now, yardstick)
            start = end


def _void_messages(session: Session, message_ids: set[int], now: datetime) -> None:
    void(session, message_ids, now)
    void_transfers(session, message_ids, now)
    void_holds(session, message_ids, now)
    void_facts(session, message_ids, now)
    void_uses(session, message_ids)
    of_them = delete(Effect).where(Effect.fault.is_not(None), Effect.message_id.in_(message_ids))
    session.execute(of_them, execution_options={"synchronize_session": False})
    settle_needs(session, void_reports(session, message_ids, now) | void_releases(session, message_ids))


def _enter_messages(
    session: Session, effects: Sequence[Effect], documents: Mapping[int, Any], now: datetime, yardstick: Yardstick
) -> None:
    ids = sorted({effect.message_id for effect in effects})
    known = already_entered(session, ids) | already_reported(session, ids) | already_held(session, ids)
    known |= already_told(session, ids) | already_transferred(session, ids)
    query = select(Message.id, Message.plant, Message.source, Message.state).where(Message.id.in_(ids))
    messages = {row.id: row for row in session.execute(query)}
    said = Said()
    faulty: dict[int, str] = {}
    for key in ids:
        if key in known:
            continue
        try:
            said.add(read_said(key, messages[key].plant, documents[key]))
        except MappingError as error:
            faulty[key] = f"{error.code}: {error.reason}"
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            faulty[key] = f"Its enriched document cannot be read ({type(error).__name__})."
    measure_posted(session, {effect.message_id for effect in effects if not effect.measured}, documents, yardstick)
    enter(session, said.entries, now)
    enter_transfers(session, said.transfers, {key: row.source for key, row in messages.items()}, now)
    enter_reports(session, said.reports, now)
    enter_holds(session, said.holds, now)
    enter_facts(session, said.facts, now)
    enter_releases(session, said.releases)
    enter_uses(session, said.uses, now)
    end_withdrawals(session, ids)
    settle_needs(session, {line.order for line in said.reports} | orders_of(said.releases))
    # Its undoing may have been read already: after a rebuild it has the lower id, where both went on at once.
    undone = {key for key, message in messages.items() if message.state == COMPENSATED}
    if undone:
        _void_messages(session, undone, now)
    faulty = {key: fault for key, fault in faulty.items() if key not in undone}
    for effect in effects:
        if effect.message_id in faulty:
            _put_aside(session, effect.id, effect.message_id, faulty[effect.message_id])
    _drop(session, [effect for effect in effects if effect.message_id not in faulty])


def _put_aside(session: Session, effect_id: int, message_id: int, fault: str) -> None:
    log.error("message_not_projected", message_id=message_id, fault=fault)
    session.execute(update(Effect).where(Effect.id == effect_id).values(fault=fault[:500]))


def _measure_faulty(session: Session, effect_id: int, yardstick: Yardstick) -> None:
    """It was posted all the same."""
    effect = session.get(Effect, effect_id)
    if effect is not None and not effect.measured and not effect.undo:
        measure_posted(session, {effect.message_id}, {}, yardstick)


def _drop(session: Session, effects: Sequence[Effect]) -> None:
    ids = [effect.id for effect in effects]
    session.execute(delete(Effect).where(Effect.id.in_(ids)), execution_options={"synchronize_session": False})


def rebuild(store: Store, now: datetime) -> int | None:
    """Empty the projections and have every message that has taken effect entered again; returns how many those are, or
    None while another worker enters some. ``project`` does the entering."""
    with store.writing() as session:
        if not have_right(session):
            return None
        allow_long_statements(session.connection())
        forget_uses(session)
        for table in PROJECTIONS:
            session.execute(delete(table).execution_options(synchronize_session=False))
        is_measured_anew = can_measure_anew(session)
        if is_measured_anew:
            forget_measures(session)
        # What is undone and not entered yet stays: the feed, which is not built anew, has still to tell of it. So does
        # what is still to be measured, where that is not noted again below.
        done = Effect.undo.is_(False) if is_measured_anew else Effect.undo.is_(False) & Effect.measured.is_(True)
        anew = or_(done, Effect.fault.is_not(None))
        session.execute(delete(Effect).where(anew).execution_options(synchronize_session=False))
        # A message that was posted since the lines above, on another connection, has said so itself.
        said = Message.id.in_(select(Effect.message_id).where(Effect.undo.is_(False)))
        effective = select(Message.id, literal(False), literal(now, Effect.at.type), literal(True))
        effective = effective.where(has_effect(), ~said, ~said_nothing()).order_by(Message.id)
        session.execute(insert(Effect).from_select(["message_id", "undo", "at", "measured"], effective))
        if is_measured_anew:
            note_all(session)
        return session.execute(select(func.count()).where(Effect.undo.is_(False))).scalar_one()
