"""Which messages' effects a system lacks at the cut-off, and why; and what it may have beyond them.

Everything reported is in what is compared with: what took effect, and what is still on its way or dead. So a system
that has all of it differs by nothing, and each message that it lacks explains its own part.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.states import TERMINAL, State
from app.postings.ledger import PostingState
from app.projections.items import load_items
from app.projections.ledger import already_entered
from app.projections.movements import TYPE_OF, Kind, Leg, Place, legs_of
from app.reconcile.causes import Cause
from app.reconcile.counts import counts_at, counts_of
from app.reconcile.standing import CHUNK, Side, Standing, chunks, standing_of
from app.store.documents import CANONICAL, ENRICHED, load_documents, load_payloads
from app.store.ledger_tables import Movement, Stock
from app.store.messages_tables import Message
from app.store.postings_tables import Posting
from config.own_messages import for_whom, is_own, said_by
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Event, ItemFacts, MappingError

PENDING_MOST = 20_000
LACKING_MOST = 20_000


@dataclass(frozen=True)
class Effect:
    """What one message does to one place, and where it stands at the system. ``cause`` is None where the system has it;
    ``is_certain``: whether it surely lacks it."""

    message_id: int
    place: Place
    quantity: Decimal
    cause: Cause | None
    is_certain: bool = True


@dataclass(frozen=True)
class Pending:
    """Of messages that have not taken effect. ``unread``: those whose events are not known, so that nobody can say what
    they would do; ``is_whole``: whether these are all."""

    effects: Sequence[Effect]
    unread: Sequence[int]
    is_whole: bool


def pending(session: Session, side: Side) -> Pending:
    """What messages would do to stock that were accepted and have not taken effect. One whose reversal was refused is
    dead and did."""
    open_states = [state.value for state in State if state not in TERMINAL]
    query = select(Message.id, Message.plant, Message.state, Message.source)
    query = query.where(Message.state.in_(open_states), Message.received_at <= side.cut_off)
    rows = session.execute(query.order_by(Message.id).limit(PENDING_MOST + 1)).all()
    own = _taken_over_since(session, open_states, side.cut_off)
    messages = {row.id: row for row in [*rows[:PENDING_MOST], *own[:PENDING_MOST]] if for_whom(row.source) is None}
    standing = Standing(session, side, {row.id: row.source for row in messages.values()})
    told = read_legs(session, {key: row.plant for key, row in messages.items()}, side.cut_off)
    counts = counts_at(session, {leg.place for _, _, leg in told.legs}, side.cut_off)
    effects: list[Effect] = []
    for key, at, leg in told.legs:
        if not any(count > (at, key) for count in counts.get(leg.place, ())):
            cause, is_certain = standing.cause(key, TYPE_OF[leg.kind], messages[key].state, at)
            effects.append(Effect(key, leg.place, leg.quantity, cause, is_certain))
    return Pending(effects, told.unread, max(len(rows), len(own)) <= PENDING_MOST)


def _taken_over_since(session: Session, states: Sequence[str], cut_off: datetime) -> Sequence[Any]:
    """What was approved after the cut-off is about what was before it."""
    query = select(Message.id, Message.plant, Message.state, Message.source).where(Message.state.in_(states))
    query = query.where(Message.received_at > cut_off, Message.source.like(f"{said_by('')}%"))
    return session.execute(query.order_by(Message.id).limit(PENDING_MOST + 1)).all()


@dataclass(frozen=True)
class Legs:
    """What messages would do to stock, each with its message and when it happened. ``unread``: those whose events are
    not known."""

    legs: Sequence[tuple[int, datetime, Leg]]
    unread: Sequence[int]


def read_legs(session: Session, plants: Mapping[int, str], cut_off: datetime) -> Legs:
    """Of these messages, by the plant of each, as far as they are not in the ledger."""
    legs: list[tuple[int, datetime, Leg]] = []
    unread: list[int] = []
    for chunk in chunks(list(plants)):
        entered = already_entered(session, chunk)
        events, torn = _events(session, [key for key in chunk if key not in entered])
        unread += torn
        codes = {code for mine in events.values() for event, _ in mine for code in contract.referenced_items(event)}
        items = load_items(session, codes)
        for key, mine in events.items():
            try:
                legs += [leg for told in mine for leg in _legs(key, plants[key], told, items, cut_off)]
            except (MappingError, KeyError, TypeError, ValueError):
                unread.append(key)
    return Legs(legs, sorted(unread))


_Told = tuple[Event, Mapping[str, Any]]
"""An event, and what was known of it when it was enriched."""


def _events(session: Session, ids: Sequence[int]) -> tuple[dict[int, list[_Told]], list[int]]:
    """The events of these messages as far as they came, and those of which none can be read."""
    enriched = load_documents(session, ids, ENRICHED)
    documents = load_documents(session, [key for key in ids if key not in enriched], CANONICAL) | enriched
    documents |= _own_events(session, [key for key in ids if key not in documents])
    events: dict[int, list[_Told]] = {}
    torn: list[int] = []
    for key in ids:
        try:
            read = [(newest(Event(one["type"], one["data"])), one.get("context", {})) for one in documents[key]]
            events[key] = read
        except (KeyError, TypeError):
            torn.append(key)
    return events, torn


def _own_events(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    """What Lineside itself approved is canonical as it stands, before any worker has looked at it."""
    query = select(Message.id, Message.type, Message.source).where(Message.id.in_(ids))
    types = {row.id: row.type for row in session.execute(query) if is_own(row.source)}
    payloads = load_payloads(session, sorted(types)) if types else {}
    return {key: [{"type": types[key], "data": json.loads(one.body)}] for key, one in payloads.items()}


def _legs(
    key: int, plant: str, told: _Told, items: Mapping[str, ItemFacts], cut_off: datetime
) -> list[tuple[int, datetime, Leg]]:
    """With the message and when it happened. A count is no change that could be lacking: what it finds depends on all
    that happened before it."""
    event, context = told
    at = contract.event_time(event)
    return [(key, at, leg) for leg in legs_of(plant, event, items, context) if at <= cut_off and not leg.is_count]


def lacking(session: Session, side: Side) -> tuple[list[Effect], bool]:
    """What took effect and the system lacks: postings to it that trail, were refused, or came after the cut-off; and
    whether that is all."""
    open_there = [state.value for state in PostingState if state is not PostingState.POSTED]
    query = select(Posting.message_id).where(
        Posting.target == side.system, Posting.state.in_(open_there), Posting.reverses_id.is_(None)
    )
    found = session.scalars(query.order_by(Posting.id.desc()).limit(LACKING_MOST + 1)).all()
    late = _entered_since(session, side.taken_at) | _trailed_since(session, side)
    return list(_effects_of(session, side, late.union(found[:LACKING_MOST]))), len(found) <= LACKING_MOST


def not_routed(session: Session, side: Side, items: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Effect]]:
    """What took effect on these items of plants and is not posted to the system at all."""
    found: dict[tuple[str, str], list[Effect]] = {}
    for plant, item in items:
        query = select(Movement.message_id).where(
            Movement.plant == plant, Movement.item == item, Movement.void_at.is_(None)
        )
        ids = set(session.scalars(query))
        effects = _effects_of(session, side, ids, (plant, item))
        found[plant, item] = [effect for effect in effects if effect.cause is Cause.NOT_ROUTED]
    return found


def effects_held(session: Session, side: Side, ids: Collection[int]) -> list[Effect]:
    """The effects of these messages that the system has."""
    return [effect for effect in _effects_of(session, side, ids) if effect.cause is None]


def _entered_since(session: Session, at: datetime) -> set[int]:
    """Messages that took effect after that; read from the end of the ledger backwards."""
    found: set[int] = set()
    last: int | None = None
    while True:
        query = select(Movement.id, Movement.message_id, Movement.entered_at).order_by(Movement.id.desc())
        rows = session.execute((query if last is None else query.where(Movement.id < last)).limit(CHUNK)).all()
        found |= {row.message_id for row in rows if row.entered_at > at}
        if len(rows) < CHUNK or rows[-1].entered_at <= at:
            return found
        last = rows[-1].id


def _trailed_since(session: Session, side: Side) -> set[int]:
    """Messages that had taken effect before, and of which the system got what is not required after its snapshot."""
    query = select(Posting.message_id).where(
        Posting.target == side.system, Posting.state == PostingState.POSTED.value, Posting.required.is_(False)
    )
    return set(session.scalars(query.where(Posting.updated_at > side.taken_at, Posting.reverses_id.is_(None))))


def _effects_of(
    session: Session, side: Side, ids: Collection[int], of: tuple[str, str] | None = None
) -> Iterator[Effect]:
    """But for those that a later count, which the system has, made good."""
    for chunk in chunks(sorted(ids)):
        query = select(Movement, Stock).join(Stock, Stock.id == Movement.stock_id).where(Movement.message_id.in_(chunk))
        query = query.where(Movement.void_at.is_(None), Movement.happened_at <= side.cut_off)
        if of is not None:
            query = query.where(Movement.plant == of[0], Movement.item == of[1])
        rows = [(row[0], row[1]) for row in session.execute(query)]
        counts = counts_of(session, {stock.id for _, stock in rows if stock.counts}, side.cut_off)
        counting = {key for whens in counts.values() for _, key in whens}
        standing, states = standing_of(session, side, {*chunk, *counting})
        held = {key for mine in counts.values() for at, key in mine if _has_count(standing, key, at)}
        for movement, stock in rows:
            when = movement.happened_at, movement.message_id
            if any(count > when and count[1] in held for count in counts.get(stock.id, ())):
                continue
            kind = TYPE_OF[Kind(movement.kind)]
            state = states.get(movement.message_id, State.POSTED)
            cause, is_certain = standing.cause(movement.message_id, kind, state, movement.happened_at)
            place = Place(stock.plant, stock.item, stock.uom, stock.storage, stock.lot, stock.serial, stock.status)
            yield Effect(movement.message_id, place, movement.quantity, cause, is_certain)


def _has_count(standing: Standing, message_id: int, at: datetime) -> bool:
    return standing.cause(message_id, TYPE_OF[Kind.COUNTED], State.POSTED, at) == (None, True)


def ledger_at(session: Session, cut_off: datetime) -> dict[Place, Decimal]:
    """The stock of every place as of the cut-off."""
    later: dict[int, Decimal] = defaultdict(Decimal)
    moved_since = select(Movement.stock_id, Movement.quantity).join(Stock, Stock.id == Movement.stock_id)
    moved_since = moved_since.where(
        Stock.moved_at > cut_off, Movement.happened_at > cut_off, Movement.void_at.is_(None)
    )
    for stock_id, quantity in session.execute(moved_since):
        later[stock_id] += quantity
    found: dict[Place, Decimal] = {}
    for row in session.scalars(select(Stock).execution_options(yield_per=2_000)):
        place = Place(row.plant, row.item, row.uom, row.storage, row.lot, row.serial, row.status)
        found[place] = row.quantity - later.get(row.id, Decimal(0))
    return found
