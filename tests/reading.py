"""What the database says, for tests to compare with."""

from __future__ import annotations

from sqlalchemy import select

from app.clock import utc_now
from app.projections.order_lists import OrderFilter, OrderPicture, list_orders
from app.projections.projector import project
from app.store.messages_tables import Message, TimelineEntry
from app.store.postings_tables import Posting
from app.store.session import Store


def message(store: Store, message_id: int) -> Message:
    with store.reading() as session:
        return session.execute(select(Message).where(Message.id == message_id)).scalar_one()


def projected_orders(store: Store) -> list[OrderPicture]:
    """The orders once all that took effect is entered."""
    assert not project(store, utc_now, 60.0).goes_on
    with store.reading() as session:
        return list_orders(session, OrderFilter(), 1_000)


def states(store: Store, *ids: int) -> list[str]:
    return [message(store, key).state for key in ids]


def timeline(store: Store, message_id: int) -> list[str]:
    query = select(TimelineEntry.to_state).where(TimelineEntry.message_id == message_id).order_by(TimelineEntry.id)
    with store.reading() as session:
        return list(session.execute(query).scalars())


def posting_states(store: Store, message_id: int) -> list[str]:
    query = select(Posting.state).where(Posting.message_id == message_id).order_by(Posting.ordinal)
    with store.reading() as session:
        return list(session.execute(query).scalars())
