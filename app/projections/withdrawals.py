"""Stock that accepted issues and shipments are about to take, until their movements are entered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.projections.movements import Place
from app.projections.reservation_uses import StockUse
from app.store.messages_tables import Message
from app.store.reservation_tables import Withdrawal

NEVER = ("discarded", "compensated")
"""States of a message that will take no stock any more."""


def note_withdrawals(session: Session, message_id: int, uses: Sequence[StockUse], now: datetime) -> None:
    """These uses of one message, which is accepted in the caller's transaction, place by place."""
    amounts: dict[Place, Decimal] = defaultdict(Decimal)
    for use in uses:
        place = use.place
        amounts[Place(place.plant, place.item, place.uom, place.storage, place.lot)] += use.quantity
    rows = [
        {
            "message_id": message_id,
            "line": line,
            **{name: getattr(place, name) for name in ("plant", "item", "uom", "lot", "storage")},
            "quantity": amount,
            "order_id": uses[0].order_id,
            "delivery_id": uses[0].delivery_id,
            "reservation": uses[0].reservation,
            "at": now,
        }
        for line, (place, amount) in enumerate(amounts.items())
    ]
    if rows:
        session.connection().execute(insert(Withdrawal), rows)


def end_withdrawals(session: Session, message_ids: Sequence[int]) -> None:
    """The movements of these messages are entered in the caller's transaction."""
    ended = delete(Withdrawal).where(Withdrawal.message_id.in_(message_ids))
    session.execute(ended, execution_options={"synchronize_session": False})


_VAIN = select(Withdrawal.message_id).join(Message, Message.id == Withdrawal.message_id).where(Message.state.in_(NEVER))


def has_vain_withdrawals(session: Session) -> bool:
    return session.execute(_VAIN.limit(1)).first() is not None


def end_vain_withdrawals(session: Session, most: int) -> int:
    """Those whose message will never take effect; returns of how many messages. What is dead may still be requeued,
    and keeps its stock until a person has decided."""
    ids = list(session.scalars(_VAIN.distinct().limit(most)))
    if ids:
        end_withdrawals(session, ids)
    return len(ids)
