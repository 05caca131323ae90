"""Which messages' effects a system lacks at the cut-off, and why; and what it may have beyond them.

Everything reported is in what is compared with: what took effect, and what is still on its way or dead. So a system
that has all of it differs by nothing, and each message that it lacks explains its own part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.states import TERMINAL, State
from app.postings.ledger import NO_EFFECT, PostingState
from app.projections.items import load_items
from app.projections.ledger import already_entered
from app.projections.movements import TYPE_OF, Kind, Leg, Place, legs_of
from app.reconcile.counts import counts_of, last_counts
from app.store.documents import CANONICAL, ENRICHED, load_documents
from app.store.ledger_tables import Movement, Stock
from app.store.messages_tables import Message
from app.store.postings_tables import Posting, PostingAttempt
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Event, ItemFacts, MappingError

PENDING_MOST = 20_000
LACKING_MOST = 20_000
CHUNK = 500


class Cause(StrEnum):
    """Why a system says something else than what was reported."""

    DEAD = "dead"
    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    UNKNOWN_OUTCOME = "unknown_outcome"
    REFUSED = "refused"
    TIMING = "timing"
    NOT_ROUTED = "not_routed"
    DUPLICATE = "duplicate"
    UNIT = "unit_mismatch"
    LOT = "lot_mismatch"
    STORAGE = "storage_mismatch"


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


class Standing:
    """Where messages stand at one system at the cut-off, by message and type of event."""

    def __init__(self, session: Session, system: str, cut_off: datetime, sources: Mapping[int, str]) -> None:
        self._system, self._sources = system, sources
        self._states: dict[tuple[int, str], tuple[PostingState, datetime]] = {}
        self._cut_off = cut_off
        self._begun: set[tuple[int, str]] = set()
        for chunk in _chunks(sorted(sources)):
            query = select(Posting.id, Posting.message_id, Posting.kind, Posting.state, Posting.updated_at).where(
                Posting.message_id.in_(chunk), Posting.target == system, Posting.reverses_id.is_(None)
            )
            late: dict[int, tuple[int, str]] = {}
            for row in session.execute(query.order_by(Posting.id)):
                self._states[row.message_id, row.kind] = (PostingState(row.state), row.updated_at)
                if row.updated_at > cut_off:
                    late[row.id] = row.message_id, row.kind
            self._begun |= {late[key] for key in _handed_over(session, late, cut_off)}

    def cause(self, message_id: int, event_type: str, state: str) -> tuple[Cause | None, bool]:
        """Why the system lacks the message's events of this type, and whether it surely does."""
        if self._sources.get(message_id) == self._system:
            return None, True
        posting, at = self._states.get((message_id, event_type), (None, None))
        if posting is PostingState.POSTED:
            is_late = at is not None and at > self._cut_off
            return (Cause.TIMING, (message_id, event_type) not in self._begun) if is_late else (None, True)
        if posting in (PostingState.SENDING, PostingState.UNKNOWN, PostingState.COMPENSATING):
            return Cause.UNKNOWN_OUTCOME, False
        if state == State.DEAD:
            return Cause.DEAD, True
        if state == State.WAITING:
            return Cause.WAITING, True
        if state != State.POSTED:
            return Cause.IN_FLIGHT, True
        if posting is None:
            return Cause.NOT_ROUTED, True
        return (Cause.REFUSED if posting is PostingState.REFUSED else Cause.IN_FLIGHT), True


def _handed_over(session: Session, postings: Collection[int], cut_off: datetime) -> set[int]:
    """Those of these postings that the target may have had before the cut-off, whenever it said so."""
    no_effect = PostingAttempt.outcome.is_not(None) & PostingAttempt.outcome.in_(NO_EFFECT)
    query = select(PostingAttempt.posting_id).where(
        PostingAttempt.posting_id.in_(sorted(postings)), PostingAttempt.started_at <= cut_off, ~no_effect
    )
    return set(session.scalars(query)) if postings else set()


def pending(session: Session, system: str, cut_off: datetime) -> Pending:
    """What messages would do to stock that were accepted and have not taken effect. One whose reversal was refused is
    dead and did."""
    open_states = [state.value for state in State if state not in TERMINAL]
    query = select(Message.id, Message.plant, Message.state, Message.source)
    query = query.where(Message.state.in_(open_states), Message.received_at <= cut_off)
    rows = session.execute(query.order_by(Message.id).limit(PENDING_MOST + 1)).all()
    messages = {row.id: row for row in rows[:PENDING_MOST]}
    standing = Standing(session, system, cut_off, {row.id: row.source for row in messages.values()})
    legs: list[tuple[int, datetime, Leg]] = []
    unread: list[int] = []
    for chunk in _chunks(list(messages)):
        entered = already_entered(session, chunk)
        events, torn = _events(session, [key for key in chunk if key not in entered])
        unread += torn
        codes = {code for mine in events.values() for event in mine for code in contract.referenced_items(event)}
        items = load_items(session, codes)
        for key, mine in events.items():
            try:
                legs += [leg for event in mine for leg in _legs(key, messages[key].plant, event, items, cut_off)]
            except (MappingError, KeyError, TypeError, ValueError):
                unread.append(key)
    counted = last_counts(session, {leg.place for _, _, leg in legs}, cut_off)
    effects: list[Effect] = []
    for key, at, leg in legs:
        if leg.place not in counted or counted[leg.place] < (at, key):
            cause, is_certain = standing.cause(key, TYPE_OF[leg.kind], messages[key].state)
            effects.append(Effect(key, leg.place, leg.quantity, cause, is_certain))
    return Pending(effects, sorted(unread), len(rows) <= PENDING_MOST)


def _events(session: Session, ids: Sequence[int]) -> tuple[dict[int, list[Event]], list[int]]:
    """The events of these messages as far as they came, and those of which none can be read."""
    enriched = load_documents(session, ids, ENRICHED)
    documents = load_documents(session, [key for key in ids if key not in enriched], CANONICAL) | enriched
    events: dict[int, list[Event]] = {}
    torn: list[int] = []
    for key in ids:
        try:
            events[key] = [newest(Event(stored["type"], stored["data"])) for stored in documents[key]]
        except (KeyError, TypeError):
            torn.append(key)
    return events, torn


def _legs(
    key: int, plant: str, event: Event, items: Mapping[str, ItemFacts], cut_off: datetime
) -> list[tuple[int, datetime, Leg]]:
    """With the message and when it happened. A count is no change that could be lacking: what it finds depends on all
    that happened before it."""
    at = contract.event_time(event)
    return [(key, at, leg) for leg in legs_of(plant, event, items) if at <= cut_off and not leg.is_count]


def lacking(session: Session, system: str, cut_off: datetime) -> tuple[list[Effect], bool]:
    """What took effect and the system lacks: postings to it that trail, were refused, or came after the cut-off; and
    whether that is all."""
    open_there = [state.value for state in PostingState if state is not PostingState.POSTED]
    query = select(Posting.message_id).where(
        Posting.target == system, Posting.state.in_(open_there), Posting.reverses_id.is_(None)
    )
    found = session.scalars(query.order_by(Posting.id.desc()).limit(LACKING_MOST + 1)).all()
    late = _entered_since(session, cut_off) | _trailed_since(session, system, cut_off)
    return list(_effects_of(session, system, cut_off, late.union(found[:LACKING_MOST]))), len(found) <= LACKING_MOST


def not_routed(
    session: Session, system: str, cut_off: datetime, items: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Effect]]:
    """What took effect on these items of plants and is not posted to the system at all."""
    found: dict[tuple[str, str], list[Effect]] = {}
    for plant, item in items:
        query = select(Movement.message_id).where(
            Movement.plant == plant, Movement.item == item, Movement.void_at.is_(None)
        )
        ids = set(session.scalars(query))
        effects = _effects_of(session, system, cut_off, ids, (plant, item))
        found[plant, item] = [effect for effect in effects if effect.cause is Cause.NOT_ROUTED]
    return found


def effects_held(session: Session, system: str, cut_off: datetime, ids: Collection[int]) -> list[Effect]:
    """The effects of these messages that the system has."""
    return [effect for effect in _effects_of(session, system, cut_off, ids) if effect.cause is None]


def _entered_since(session: Session, cut_off: datetime) -> set[int]:
    """Messages that took effect after the cut-off; read from the end of the ledger backwards."""
    found: set[int] = set()
    last: int | None = None
    while True:
        query = select(Movement.id, Movement.message_id, Movement.entered_at).order_by(Movement.id.desc())
        rows = session.execute((query if last is None else query.where(Movement.id < last)).limit(CHUNK)).all()
        found |= {row.message_id for row in rows if row.entered_at > cut_off}
        if len(rows) < CHUNK or rows[-1].entered_at <= cut_off:
            return found
        last = rows[-1].id


def _trailed_since(session: Session, system: str, cut_off: datetime) -> set[int]:
    """Messages that had taken effect before, and of which the system got what is not required after the cut-off."""
    query = select(Posting.message_id).where(
        Posting.target == system, Posting.state == PostingState.POSTED.value, Posting.required.is_(False)
    )
    return set(session.scalars(query.where(Posting.updated_at > cut_off, Posting.reverses_id.is_(None))))


def _effects_of(
    session: Session, system: str, cut_off: datetime, ids: Collection[int], of: tuple[str, str] | None = None
) -> Iterator[Effect]:
    """But for those that a later count, which the system has, made good."""
    for chunk in _chunks(sorted(ids)):
        query = select(Movement, Stock).join(Stock, Stock.id == Movement.stock_id).where(Movement.message_id.in_(chunk))
        query = query.where(Movement.void_at.is_(None), Movement.happened_at <= cut_off)
        if of is not None:
            query = query.where(Movement.plant == of[0], Movement.item == of[1])
        rows = [(row[0], row[1]) for row in session.execute(query)]
        counts = counts_of(session, {stock.id for _, stock in rows if stock.counts}, cut_off)
        counting = {key for whens in counts.values() for _, key in whens}
        standing, states = _standing_of(session, system, cut_off, {*chunk, *counting})
        held = {key for key in counting if standing.cause(key, TYPE_OF[Kind.COUNTED], State.POSTED) == (None, True)}
        for movement, stock in rows:
            when = movement.happened_at, movement.message_id
            if any(count > when and count[1] in held for count in counts.get(stock.id, ())):
                continue
            kind = TYPE_OF[Kind(movement.kind)]
            cause, is_certain = standing.cause(movement.message_id, kind, states.get(movement.message_id, State.POSTED))
            place = Place(stock.plant, stock.item, stock.uom, stock.storage, stock.lot, stock.serial, stock.status)
            yield Effect(movement.message_id, place, movement.quantity, cause, is_certain)


def _standing_of(
    session: Session, system: str, cut_off: datetime, ids: Collection[int]
) -> tuple[Standing, Mapping[int, str]]:
    sources: dict[int, str] = {}
    states: dict[int, str] = {}
    for chunk in _chunks(sorted(ids)):
        for row in session.execute(select(Message.id, Message.source, Message.state).where(Message.id.in_(chunk))):
            sources[row.id], states[row.id] = row.source, row.state
    return Standing(session, system, cut_off, sources), states


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


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
