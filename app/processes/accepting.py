"""Take a process call: checked, promised and kept in one transaction, or nothing of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.inbox.accept import Acceptance, Incoming, accept_messages
from app.processes.checks import CHECKS, Call, check_items
from app.processes.refusal import CallRefused, Doubt
from app.processes.reserving import (
    ENDED,
    RESERVED,
    check_reservation,
    end_reservation,
    event_body,
    hold_reservation,
    keep_reservation,
)
from app.processes.taking import check_taking, uses_of_call
from app.projections.items import load_items
from app.projections.reservation_uses import Kept, ReservationState, StockUse
from app.projections.withdrawals import note_withdrawals
from app.store.reservation_tables import PromisedItem
from app.store.session import Store
from mappings.canonical import contract
from mappings.units import Quantity


@dataclass(frozen=True)
class Taken:
    """``doubts``: what a new call was let through in spite of."""

    acceptance: Acceptance
    doubts: Sequence[Doubt] = field(default_factory=tuple)


def take_call(store: Store, call: Call, incoming: Incoming, process: str, actor: str, now: datetime) -> Taken:
    """Keep the call's message, once committed for good. A repeat decides nothing anew. Raises CallRefused, and then
    nothing is kept.

    1. The message goes in first: a second call with the same key waits here for the first one's end.
    2. Then the items are held, in one order, so that one decision about an item comes after the other.
    3. Only then the facts are read, all of one state: the projections may go on meanwhile.
    """
    with store.writing() as session:
        if call.event.type == ENDED:
            incoming = _with_what_is_left(session, call, incoming)
        (acceptance,) = accept_messages(session, [incoming], now)
        if acceptance.status != "accepted":
            return Taken(acceptance)
        if call.event.type == ENDED:
            _end(session, call, acceptance.id, now)
            doubts: list[Doubt] = []
        else:
            doubts = _decide(store, session, call, acceptance.id, actor, now)
        detail: dict[str, Any] = {"plant": call.plant, "source": incoming.source}
        detail |= {"override": call.override} if call.override else {}
        detail |= {"warnings": [doubt.code for doubt in doubts]} if doubts else {}
        record(session, actor, f"process.{process}", f"message:{acceptance.id}", detail, now)
    return Taken(acceptance, doubts)


def _decide(store: Store, session: Session, call: Call, message_id: int, actor: str, now: datetime) -> list[Doubt]:
    items = load_items(session, contract.referenced_items(call.event))
    check_items(call, items)
    uses = uses_of_call(message_id, call, items)
    promised = {call.event.data["item"]} if call.event.type == RESERVED else {use.place.item for use in uses}
    hold_items(session, call.plant, promised)
    with store.snapshot() as facts:
        if call.event.type in CHECKS:
            CHECKS[call.event.type](facts, call, items)
        doubts = check_taking(facts, call, uses, now) if uses else []
        asked = check_reservation(facts, call, items, now) if call.event.type == RESERVED else None
    _promise(session, call, uses, asked, message_id, actor, now)
    return doubts


def _promise(
    session: Session,
    call: Call,
    uses: Sequence[StockUse],
    asked: Kept | None,
    message_id: int,
    actor: str,
    now: datetime,
) -> None:
    if uses:
        note_withdrawals(session, message_id, uses, now)
    if asked is not None:
        keep_reservation(session, call, asked, message_id, actor, now)


def hold_items(session: Session, plant: str, items: Collection[str]) -> None:
    """Until the transaction ends nobody else decides about these items. On SQLite there is one writer anyway."""
    if not items:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    rows = [{"plant": plant, "item": item} for item in sorted(items)]
    session.connection().execute(build(PromisedItem).on_conflict_do_nothing(), rows)
    query = select(PromisedItem).where(PromisedItem.plant == plant, PromisedItem.item.in_(sorted(items)))
    session.execute(query.order_by(PromisedItem.item).with_for_update()).all()


def _with_what_is_left(session: Session, call: Call, incoming: Incoming) -> Incoming:
    """The reservation is held, so that what is told to be kept no more is what it kept."""
    row = hold_reservation(session, call.event.data["reservation_id"])
    if row is None or row.plant != call.plant:
        told = f"There is no reservation {call.event.data['reservation_id']} in {call.plant}."
        raise CallRefused("wrong", "reservation_unknown", told, "reservation_id")
    left = Quantity(max(row.quantity - row.used, Decimal(0)), row.uom)
    return replace(incoming, body=event_body({**call.event.data, "quantity": left.wire()}))


def _end(session: Session, call: Call, message_id: int, now: datetime) -> None:
    code = call.event.data["reservation_id"]
    row = hold_reservation(session, code)
    if row is None or not end_reservation(session, row, ReservationState.RELEASED, message_id, now):
        told = f"Reservation {code} is open no more."
        raise CallRefused("not_now", "reservation_ended", told, "reservation_id")
