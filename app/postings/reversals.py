"""Reversals: each is a posting of its own beside the one that it undoes, and an order says why it is made.

A message is being reversed as long as it has an order for its present generation. When all is undone the message enters
the next generation, and with it new posting keys: under the old ones a target would find what was reversed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.postings.ledger import PostingResult, PostingState
from app.postings.plan import reversal_key
from app.store.base import table_of
from app.store.messages_tables import Message
from app.store.postings_tables import Posting, ReversalOrder
from app.store.prepared import Prepared

# So many documents are named where a sentence tells what was reversed; the message's page has all of them.
TOLD_MOST = 5

# The reference of a reversal that a person made in the target.
BY_HAND = "by hand"

EndsIn = Literal["dead", "compensated"]


@dataclass(frozen=True)
class Order:
    """Why a message is reversed, and what becomes of it: ``dead`` with the reason given here, or ``compensated``."""

    message_id: int
    generation: int
    ordered_at: datetime
    actor: str
    reason: str
    ends_in: EndsIn
    dead_code: str | None = None
    dead_reason: str | None = None
    dead_field: str | None = None


_ORDER, _MESSAGE = table_of(ReversalOrder).c, table_of(Message).c
_OPEN_ORDERS = Prepared(
    select(*(_ORDER[field.name] for field in fields(Order)))
    .join_from(table_of(ReversalOrder), table_of(Message), _MESSAGE.id == _ORDER.message_id)
    .where(_ORDER.message_id.in_(bindparam("ids", expanding=True)), _ORDER.generation == _MESSAGE.generation)
)


def open_orders(session: Session, message_ids: Collection[int]) -> dict[int, Order]:
    """Those of these messages that are being reversed."""
    rows = _OPEN_ORDERS.rows(session, ids=list(message_ids))
    return {row.message_id: Order(*row) for row in rows}


def save_orders(session: Session, orders: Sequence[Order]) -> None:
    if orders:
        session.connection().execute(insert(ReversalOrder), [vars(order) for order in orders])


def plan_reversals(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Beside each document that a target holds of these messages its reversal, the newest to be made first. Safe to
    repeat. Not for a message with a posting of which nobody knows whether the target holds it."""
    if not message_ids:
        return
    held = Posting.message_id.in_(list(message_ids)) & _is_held()
    query = select(Posting).where(held).order_by(Posting.message_id, Posting.ordinal.desc(), Posting.id.desc())
    rows = [_reversal_of(posting, now) for posting in session.scalars(query)]
    if not rows:
        return
    places: dict[int, int] = {}
    for row in rows:
        row["ordinal"] = places[row["message_id"]] = places.get(row["message_id"], -1) + 1
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    session.connection().execute(build(Posting).on_conflict_do_nothing(index_elements=["posting_key"]), rows)
    compensating = update(Posting).where(held).values(state=PostingState.COMPENSATING.value, updated_at=now)
    session.execute(compensating.execution_options(synchronize_session=False))


def _is_held() -> Any:
    return (Posting.state == PostingState.POSTED.value) & Posting.reverses_id.is_(None)


def _reversal_of(posting: Posting, now: datetime) -> dict[str, Any]:
    return {
        "message_id": posting.message_id,
        "plant": posting.plant,
        "target": posting.target,
        "kind": posting.kind,
        "required": True,
        "state": PostingState.PLANNED.value,
        "posting_key": reversal_key(posting.posting_key),
        "mapping_version": posting.mapping_version,
        "document": posting.document,
        "attempts": 0,
        "generation": posting.generation,
        "reverses_id": posting.id,
        "updated_at": now,
    }


def close_reversed(session: Session, results: Sequence[PostingResult], now: datetime) -> None:
    """What these results reversed is ``compensated``."""
    undone = [
        result.posting.reverses.id
        for result in results
        if result.posting.reverses is not None and result.state is PostingState.POSTED
    ]
    if undone:
        compensated = update(Posting).where(Posting.id.in_(undone))
        compensated = compensated.values(state=PostingState.COMPENSATED.value, updated_at=now)
        session.execute(compensated.execution_options(synchronize_session=False))


def end_orders(session: Session, message_ids: Collection[int]) -> None:
    """All is undone: whatever is posted of these messages from now on is posted under new keys."""
    if message_ids:
        ended = update(Message).where(Message.id.in_(list(message_ids))).values(generation=Message.generation + 1)
        session.execute(ended.execution_options(synchronize_session=False))


def reopen_reversals(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """A person has the reversals that were refused tried again, under the same keys."""
    refused = update(Posting).where(
        Posting.message_id.in_(list(message_ids)),
        Posting.state == PostingState.REFUSED.value,
        Posting.reverses_id.is_not(None),
    )
    planned = refused.values(state=PostingState.PLANNED.value, reason_code=None, reason=None, updated_at=now)
    session.execute(planned.execution_options(synchronize_session=False))


def settle_by_hand(session: Session, message_id: int, actor: str, reason: str, now: datetime) -> int:
    """Take the reversals of this message that were refused as made by a person in the target; returns how many."""
    refused = Posting.message_id == message_id
    refused &= (Posting.state == PostingState.REFUSED.value) & Posting.reverses_id.is_not(None)
    undone = list(session.scalars(select(Posting.reverses_id).where(refused)))
    proof = {"by_hand": reason, "actor": actor}
    made = update(Posting).where(refused).values(state=PostingState.POSTED.value, reference=BY_HAND, answer=proof)
    made = made.values(reason_code=None, reason=None, updated_at=now)
    session.execute(made.execution_options(synchronize_session=False))
    compensated = update(Posting).where(Posting.id.in_(undone))
    compensated = compensated.values(state=PostingState.COMPENSATED.value, updated_at=now)
    session.execute(compensated.execution_options(synchronize_session=False))
    return len(undone)


def tell_held(session: Session, message_ids: Collection[int]) -> dict[int, str]:
    """``erp holds document 17; wms holds document 4`` for those of these messages of which a target surely does."""
    query = select(Posting.message_id, Posting.target, Posting.reference)
    query = query.where(Posting.message_id.in_(list(message_ids)), _is_held()).order_by(
        Posting.message_id, Posting.ordinal
    )
    told: dict[int, list[str]] = {}
    for row in session.execute(query):
        named = f"document {row.reference}" if row.reference else "a document that nobody named"
        told.setdefault(row.message_id, []).append(f"{row.target} holds {named}")
    return {key: _listed(parts) for key, parts in told.items()}


def tell_reversed(session: Session, orders: Mapping[int, Order]) -> dict[int, str]:
    """``erp document 17 reversed as 18`` for each document that these orders brought to be reversed."""
    original = aliased(Posting)
    query = (
        select(
            Posting.message_id, Posting.generation, Posting.target, Posting.reference, original.reference.label("was")
        )
        .join(original, original.id == Posting.reverses_id)
        .where(Posting.message_id.in_(list(orders)), Posting.state == PostingState.POSTED.value)
        .order_by(Posting.message_id, Posting.ordinal)
    )
    told: dict[int, list[str]] = {}
    for row in session.execute(query):
        if row.generation == orders[row.message_id].generation:
            named = f"{row.target} document {row.was or 'without a name'} reversed as {row.reference}"
            told.setdefault(row.message_id, []).append(named)
    return {key: _listed(parts) for key, parts in told.items()}


def _listed(parts: Sequence[str]) -> str:
    more = len(parts) - TOLD_MOST
    return "; ".join(parts[:TOLD_MOST]) + (f"; and {more} more" if more > 0 else "")
