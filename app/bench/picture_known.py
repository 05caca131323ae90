"""What there is in a filled database to be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.exception_tables import BusinessException
from app.store.impact_tables import Impact
from app.store.logistics_tables import Shipment
from app.store.messages_tables import Message
from app.store.reconcile_tables import Reconciliation
from app.store.session import Store

SAMPLE = 200


@dataclass(frozen=True)
class Known:
    """What there is to be asked for: the days, how many orders each has, and some ids; none of them is empty."""

    days: Sequence[int]
    orders: int
    messages: Sequence[int]
    dead: Sequence[int]
    exceptions: Sequence[int]
    shipments: Sequence[int]
    reports: Sequence[int]


def look_up(store: Store, days: Sequence[int], orders: int) -> Known:
    """Ids of the newest and of the oldest rows of each kind."""
    with store.reading() as session:
        some = (_some(session, key) for key in _IDS)
        return Known(days, orders, *some)


_IDS: Sequence[Any] = (Message.id, Impact.message_id, BusinessException.id, Shipment.id, Reconciliation.id)


def _some(session: Session, key: Any) -> list[int]:
    newest = session.scalars(select(key).order_by(key.desc()).limit(SAMPLE)).all()
    return [*session.scalars(select(key).order_by(key).limit(SAMPLE)), *newest]
