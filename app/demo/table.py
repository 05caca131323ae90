"""What became of everything, each number read back from where it lives: the database, and the ERP itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.demo.shift_reports import Order
from app.inbox.figures import IN_PROGRESS, count_states
from app.inbox.states import State
from app.pipeline.outcome import target_reference
from app.postings.ledger import PostingState
from app.store.messages_tables import Message
from app.store.postings_tables import Posting
from app.store.reading_tables import ReadRecord
from app.store.session import Store
from app.store.target_tables import TargetPause

POLL_SECONDS = 0.25
CALM_SECONDS = 2.5
LOOKED_AT_AGAIN = ("item:", "order:", "stock:")


@dataclass(frozen=True)
class PlantRow:
    """``in_flight`` is zero once all has settled; ``ended_by_people`` were discarded or reversed. ``erp_postings`` is
    what Lineside holds to be in the ERP, ``in_erp`` what the ERP itself says."""

    plant: str
    accepted: int
    posted: int
    waiting: int
    dead: int
    in_flight: int
    ended_by_people: int
    erp_postings: int
    in_erp: int

    def as_json(self) -> dict[str, int | str]:
        return asdict(self)


def read_rows(store: Store, plants: Mapping[str, object], erp: str, in_erp: Mapping[str, int]) -> list[PlantRow]:
    with store.reading() as session:
        counts = count_states(session)
        postings = _erp_postings(session, erp)
    return [_row(plant, counts, postings.get(plant, 0), in_erp.get(plant, 0)) for plant in plants]


def _row(plant: str, counts: Mapping[tuple[str, str], int], erp_postings: int, in_erp: int) -> PlantRow:
    def number(*states: State) -> int:
        return sum(counts.get((plant, state.value), 0) for state in states)

    return PlantRow(
        plant=plant,
        accepted=number(*State),
        posted=number(State.POSTED),
        waiting=number(State.WAITING),
        dead=number(State.DEAD),
        in_flight=number(*IN_PROGRESS),
        ended_by_people=number(State.DISCARDED, State.COMPENSATED),
        erp_postings=erp_postings,
        in_erp=in_erp,
    )


def _erp_postings(session: Session, erp: str) -> dict[str, int]:
    query = (
        select(Posting.plant, func.count())
        .where(Posting.target == erp, Posting.state == PostingState.POSTED.value)
        .group_by(Posting.plant)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def accepted_messages(store: Store) -> int:
    with store.reading() as session:
        return sum(count_states(session).values())


def orders_are_read(store: Store, orders: Collection[Order]) -> bool:
    """Whether Lineside has read the release of every one of these orders from the ERP."""
    keys = [f"{order.plant}/{order.number}" for order in orders]
    query = select(func.count()).where(ReadRecord.key.in_(keys), ReadRecord.revision > 0)
    with store.reading() as session:
        return session.execute(query).scalar_one() >= len(orders)


def wait_until_settled(store: Store, accepted: int, seconds: float, moved: Callable[[int], None]) -> bool:
    """Wait until ``accepted`` messages are there and none of them moves any more; False when that takes too long.

    What waits for an item or an order that never comes has settled once it was looked at again, and so has what waits
    behind it; what will be tried again by itself has not.
    ``moved`` is told how many have settled.
    """
    deadline = time.monotonic() + seconds
    calm_since, before = time.monotonic(), (-1, -1)
    while time.monotonic() < deadline:
        now = accepted_messages(store), _restless(store)
        moved(now[0] - now[1])
        if now != before or now[1] or now[0] < accepted:
            calm_since, before = time.monotonic(), now
        elif time.monotonic() - calm_since >= CALM_SECONDS:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _restless(store: Store) -> int:
    """What waits for its turn moves only as long as another of its key does: behind a dead letter it has settled. What
    a worker has in hand moves, whatever it last waited for."""
    other = aliased(Message)
    moves = exists().where(
        other.plant == Message.plant, other.ordering_key == Message.ordering_key, _moves_by_itself(other)
    )
    behind = or_(Message.waiting_for.like("key:%"), Message.waiting_for.like("trailing:%")) & moves
    held = Message.lease_token.is_not(None)
    query = select(func.count()).where(Message.step.is_not(None), or_(_moves_by_itself(Message), behind, held))
    with store.reading() as session:
        return session.execute(query).scalar_one()


def _moves_by_itself(message: type[Message]) -> ColumnElement[bool]:
    """A target that is left alone for a while is tried again by itself; one that is paused waits for a person. What
    only began to wait for something is looked at again soon, since that may have come in the moment before."""
    trailing = (message.state == State.POSTED.value) & message.step.is_not(None)
    waiting = or_(message.state == State.WAITING.value, trailing)
    paused = exists().where(message.waiting_for == literal(target_reference("")).concat(TargetPause.target))
    left_alone = message.waiting_for.startswith(target_reference("")) & ~paused
    comes_at_once = or_(*(message.waiting_for.startswith(kind) for kind in LOOKED_AT_AGAIN))
    began = comes_at_once & (message.attempts <= 1)
    again = waiting & or_(message.waiting_for.is_(None), left_alone, began)
    return or_(message.state.in_([state.value for state in IN_PROGRESS]), again)
