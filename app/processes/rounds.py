"""What ends by itself: reservations whose time is over, and withdrawals of messages that will take nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.inbox.accept import accept_messages
from app.processes.reserving import end_reservation, ended_event, ended_message
from app.projections.reservation_uses import ReservationState
from app.projections.withdrawals import end_vain_withdrawals, has_vain_withdrawals
from app.store.reservation_tables import IS_OPEN, Reservation
from app.store.session import Store

EVERY_SECONDS = 2.0
ENDED_A_ROUND = 200


@dataclass
class Endings:
    """One relay's memory of when it looked last."""

    next_at: float = 0.0

    def tick(self, store: Store, now: datetime) -> None:
        """A bounded number a round; where there may be more, the next round is at once."""
        if time.monotonic() < self.next_at:
            return
        with store.reading() as session:
            is_due = session.execute(_due(now).limit(1)).first() is not None or has_vain_withdrawals(session)
        ended = 0
        if is_due:  # nobody else waits for a write that has nothing to write
            with store.writing() as session:
                ended = max(expire_reservations(session, now), end_vain_withdrawals(session, ENDED_A_ROUND))
        self.next_at = 0.0 if ended >= ENDED_A_ROUND else time.monotonic() + EVERY_SECONDS


def expire_reservations(session: Session, now: datetime) -> int:
    """End those whose time is over, each with a message of its source that tells it; returns how many."""
    rows = session.scalars(_due(now).limit(ENDED_A_ROUND).with_for_update(skip_locked=True)).all()
    told = [ended_message(row, ended_event(row, ReservationState.EXPIRED, now), "Its time was over.") for row in rows]
    for row, answer in zip(rows, accept_messages(session, told, now) if told else (), strict=True):
        end_reservation(session, row, ReservationState.EXPIRED, answer.id, now)
    return len(rows)


def _due(now: datetime) -> Select[Reservation]:
    return (
        select(Reservation)
        .where(IS_OPEN, Reservation.expires_at <= now)
        .order_by(Reservation.expires_at, Reservation.id)
    )
