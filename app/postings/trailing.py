"""Postings that are not required and trail behind a message that is posted already: when each is tried again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.postings.ledger import WITHDRAWN, PostingState
from app.store.postings_tables import Posting


@dataclass(frozen=True)
class Tries:
    """When a posting that stopped is tried again, and what is counted of it until then."""

    posting_id: int
    message_id: int
    retry_at: datetime | None = None
    retries: int = 0
    retrying_since: datetime | None = None
    waiting_since: datetime | None = None


_TRIES = (
    update(Posting)
    .where(Posting.id == bindparam("b_id"))
    .values(
        retry_at=bindparam("b_retry_at"),
        retries=bindparam("b_retries"),
        retrying_since=bindparam("b_retrying_since"),
        waiting_since=bindparam("b_waiting_since"),
    )
)
ANEW: Mapping[str, Any] = {"retry_at": None, "retries": 0, "retrying_since": None, "waiting_since": None}
"""The tries of a posting that a person has tried anew."""


def record_tries(session: Session, tries: Sequence[Tries]) -> None:
    if not tries:
        return
    changes = [
        {
            "b_id": one.posting_id,
            "b_retry_at": one.retry_at,
            "b_retries": one.retries,
            "b_retrying_since": one.retrying_since,
            "b_waiting_since": one.waiting_since,
        }
        for one in tries
    ]
    session.connection().execute(_TRIES, changes)


def withdraw(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """These messages are reversed: what was not sent yet is not sent any more."""
    if not message_ids:
        return
    planned = (Posting.state == PostingState.PLANNED.value) & Posting.reverses_id.is_(None)
    told = "Not sent: its message was reversed before."
    withdrawn = update(Posting).where(Posting.message_id.in_(list(message_ids)), planned)
    withdrawn = withdrawn.values(state=PostingState.REFUSED.value, reason_code=WITHDRAWN, reason=told, updated_at=now)
    session.execute(withdrawn.execution_options(synchronize_session=False))
