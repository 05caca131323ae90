"""What each target answered to one message, as far as it did."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.postings_tables import Posting


def answers_to(session: Session, message_id: int) -> Sequence[Posting]:
    """The message's postings of its present generation, in the order in which they are made; reversals are not among
    them."""
    query = select(Posting).where(Posting.message_id == message_id, Posting.reverses_id.is_(None))
    postings = session.scalars(query.order_by(Posting.generation, Posting.ordinal, Posting.id)).all()
    return [posting for posting in postings if posting.generation == postings[-1].generation]
