"""What presses for a message at this moment: who waits for it, by when its orders are due, which shipments and holds
there are. Each question is asked once for many messages, and answered by an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, column, literal, literal_column, select, tuple_, values
from sqlalchemy.orm import Session, aliased

from app.dead_letters.subject import DELIVERY, ITEM, LOT, Subject, events_of
from app.errors import stock_reference
from app.inbox.claim import key_reference_of
from app.store.availability_tables import Hold
from app.store.impact_tables import Impact, ImpactObject
from app.store.key_sets import among
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderProgress
from app.store.reference_tables import ProductionOrder

WAITING_MOST = 1_000
"""As far as those that wait for one thing are counted."""
LOOKED_AT_MOST = 50
"""Of those that wait for a message so many are looked at, the oldest, whether a shipment is among them."""
SHIPMENTS_MOST = 20
CHUNK = 250
SHIPPED = "shipment.confirmed.v1"


@dataclass(frozen=True)
class Letter:
    """A message that does not get on, and where it stands in its key. ``behind``: what was seen to wait for it when it
    was weighed last."""

    id: int
    plant: str
    ordering_key: str | None
    key_rank: str
    subject: Subject
    behind: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderDue:
    """``ended``: whether its last report has come, so that nothing is late any more."""

    order: str
    due_at: datetime
    ended: bool


@dataclass
class Pressure:
    """``waiting``: later messages of its key and those that wait for what it brings, at most WAITING_MOST of each;
    ``behind``: which these are, so that others can be told from them, and the shipments among them; ``shipments``: all
    deliveries that wait; ``held_lots``: those of its lots that an open hold covers."""

    waiting: int = 0
    behind: dict[str, Any] = field(default_factory=dict)
    shipments: list[str] = field(default_factory=list)
    orders: list[OrderDue] = field(default_factory=list)
    held_lots: list[str] = field(default_factory=list)


def pressures_of(session: Session, letters: Sequence[Letter]) -> dict[int, Pressure]:
    """What presses for each of these."""
    found = {letter.id: Pressure() for letter in letters}
    for start in range(0, len(letters), CHUNK):
        chunk = letters[start : start + CHUNK]
        _count_waiting(session, chunk, found)
        _find_shipments(session, chunk, found)
        _find_orders(session, chunk, found)
        _find_holds(session, chunk, found)
    return found


def _asked(letter: Letter) -> Iterator[tuple[str, str, int]]:
    """What others wait for if they wait for this one, and after which place of its key."""
    if letter.ordering_key:
        yield key_reference_of(letter.plant, letter.ordering_key), letter.key_rank, letter.id
    for reference in letter.subject.brings:
        yield reference, "", 0


def _count_waiting(session: Session, letters: Sequence[Letter], found: Mapping[int, Pressure]) -> None:
    """How many wait for each, and the shipments among them; these are looked for only where others wait than before."""
    asked = sorted({one for letter in letters for one in _asked(letter)})
    awaited = _awaited(session, sorted({reference for reference, _, _ in asked}))
    asked = [one for one in asked if one[0] in awaited]
    counts: dict[tuple[str, str, int], str] = {}
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        counts.update(zip(chunk, _counts(session, chunk), strict=True))
    for letter in letters:
        mine = sorted(one for one in _asked(letter) if not counts.get(one, NOBODY).startswith(NOBODY))
        seen = "|".join(counts[one] for one in mine)
        found[letter.id].waiting = sum(int(counts[one].partition(":")[0]) for one in mine)
        known = letter.behind.get("seen") == seen
        shipments = letter.behind["shipments"] if known else _shipments_among(session, mine)
        found[letter.id].behind = {"seen": seen, "shipments": shipments}


def _awaited(session: Session, references: Sequence[str]) -> set[str]:
    """Those of these references that anything waits for."""
    found: set[str] = set()
    for start in range(0, len(references), CHUNK):
        query = select(Message.waiting_for).where(Message.waiting_for.in_(references[start : start + CHUNK]))
        found.update(reference for reference in session.scalars(query.group_by(Message.waiting_for)) if reference)
    return found


NOBODY = "0:"
# Written out: SQLAlchemy lets no subquery that is selected from refer to what is around it, and without a bound within
# each count, one message that holds up a hundred thousand would have them all counted. With the number comes the sum of
# the ids: the same number may be others.
_COUNTED = literal_column(
    f"""(SELECT CAST(count(*) AS VARCHAR(20)) || ':' || CAST(coalesce(sum(bounded.id), 0) AS VARCHAR(40)) FROM (
    SELECT messages.id FROM messages WHERE messages.waiting_for = asked.reference AND messages.state = 'waiting'
    AND (messages.key_rank, messages.id) > (asked.key_rank, asked.id) LIMIT {WAITING_MOST}) AS bounded)""",  # noqa: S608
    String,
)


def _counts(session: Session, asked: Sequence[tuple[str, str, int]]) -> list[str]:
    """How many wait for each of these, in their order: the number, a colon and the sum of their ids."""
    columns = (("number", Integer), ("reference", String), ("key_rank", String), ("id", BigInteger))
    rows = values(*(column(name, kind) for name, kind in columns))
    table = rows.data([(number, *one) for number, one in enumerate(asked)]).cte("asked")
    query = select(_COUNTED.label("waiting")).select_from(table).order_by(table.c.number)
    return list(session.scalars(query))


def _shipments_among(session: Session, asked: Sequence[tuple[str, str, int]]) -> list[str]:
    """The deliveries of the oldest messages that wait for one of these."""
    ids: list[int] = []
    for reference, key_rank, after in asked:
        behind = tuple_(Message.key_rank, Message.id) > tuple_(literal(key_rank), literal(after))
        query = select(Message.id).where(Message.waiting_for == reference, behind, Message.state == "waiting")
        ids += session.scalars(query.order_by(Message.waiting_for, Message.due_at, Message.id).limit(LOOKED_AT_MOST))
    mine = events_of(session, sorted(set(ids))[:LOOKED_AT_MOST]) if ids else {}
    shipped = (event.data for events in mine.values() for event in events if event.type == SHIPPED)
    return sorted({str(data["delivery_id"]) for data in shipped if data.get("delivery_id")})


def _find_shipments(session: Session, letters: Sequence[Letter], found: Mapping[int, Pressure]) -> None:
    """Besides those that wait for it: the one that it is itself, and dead ones of its lots; of its items, where it
    names no lot and brings stock of them."""
    by_lot = _dead_deliveries(session, LOT, {lot for letter in letters for lot in letter.subject.lots})
    brought = {letter.id: _items_brought(letter) for letter in letters}
    by_item = _dead_deliveries(session, ITEM, {item for items in brought.values() for item in items})
    for letter in letters:
        own = [*letter.subject.deliveries, *found[letter.id].behind["shipments"]]
        for lot in letter.subject.lots:
            own += by_lot.get((letter.plant, lot), ())
        for item in brought[letter.id]:
            own += by_item.get((letter.plant, item), ())
        found[letter.id].shipments = sorted(set(own))[:SHIPMENTS_MOST]


def _items_brought(letter: Letter) -> list[str]:
    if letter.subject.lots:
        return []
    return [item for item in letter.subject.items if stock_reference(letter.plant, item) in letter.subject.brings]


def _dead_deliveries(session: Session, kind: str, codes: set[str]) -> dict[tuple[str, str], list[str]]:
    """Deliveries of dead letters that name these lots or items, by plant and code."""
    there: Any = aliased(ImpactObject)
    query = (
        select(Impact.plant, ImpactObject.code, there.code.label("delivery"))
        .join(there, there.message_id == ImpactObject.message_id)
        .join(Impact, Impact.message_id == ImpactObject.message_id)
        .where(ImpactObject.kind == kind, there.kind == DELIVERY)
    )
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    wanted = sorted(codes)
    for start in range(0, len(wanted), CHUNK):
        chosen = query.where(ImpactObject.code.in_(wanted[start : start + CHUNK]))
        for row in session.execute(chosen.order_by(ImpactObject.code, ImpactObject.message_id).limit(WAITING_MOST)):
            found[row.plant, row.code].append(row.delivery)
    return found


def _find_orders(session: Session, letters: Sequence[Letter], found: Mapping[int, Pressure]) -> None:
    keys = sorted({(letter.plant, order) for letter in letters for order in letter.subject.orders})
    dues: dict[tuple[str, str], OrderDue] = {}
    for start in range(0, len(keys), CHUNK):
        table = ProductionOrder
        query = select(table.plant, table.order_id, table.planned_end_at, OrderProgress.ended_at).outerjoin(
            OrderProgress, (OrderProgress.plant == table.plant) & (OrderProgress.order_id == table.order_id)
        )
        chosen = query.where(among((table.plant, table.order_id), keys[start : start + CHUNK]))
        for row in session.execute(chosen.where(table.planned_end_at.is_not(None))):
            due = OrderDue(row.order_id, row.planned_end_at, row.ended_at is not None)
            dues[row.plant, row.order_id] = due
    for letter in letters:
        told = {order: datetime.fromisoformat(end) for order, end in (letter.subject.due or {}).items()}
        known = {order: OrderDue(order, end, ended=False) for order, end in told.items()}
        known |= {order: dues[letter.plant, order] for order in letter.subject.orders if (letter.plant, order) in dues}
        found[letter.id].orders = [known[order] for order in sorted(known)]


def _find_holds(session: Session, letters: Sequence[Letter], found: Mapping[int, Pressure]) -> None:
    lots = sorted({lot for letter in letters for lot in letter.subject.lots})
    held: set[tuple[str, str]] = set()
    for start in range(0, len(lots), CHUNK):
        query = select(Hold.plant, Hold.lot).where(Hold.is_open, Hold.lot.in_(lots[start : start + CHUNK])).distinct()
        held |= {(row.plant, row.lot) for row in session.execute(query)}
    for letter in letters:
        found[letter.id].held_lots = sorted(lot for lot in letter.subject.lots if (letter.plant, lot) in held)
