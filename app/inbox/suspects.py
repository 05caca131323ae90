"""Which messages may have cost a worker, and how few of them are worked on together.

Whoever reports back gives its lease up. So a message that is due and still has one was held by a worker that ended: it
is a suspect, and comes in a small lot the next time, then alone. From then on only a loss that it caused alone counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.postings_tables import Posting

# A message that cost so many workers is worked on no more, and holds nobody back.
LOST_WORKERS_LIMIT = 3
# In a post this takes two losses alone: it is long, and a deploy may well end a worker in the midst of one.
LOST_POSTERS_LIMIT = 4
LOTS_AFTER_LOSS = {1: 15}
POST_LOTS_AFTER_LOSS = {1: 5}


def lost_before(row: Any) -> int:
    """How many workers ended while they held this message; each row has ``lease_token`` and ``workers_lost``."""
    return int(row.workers_lost) + (row.lease_token is not None)


def cleared_of_loss(session: Session, rows: Sequence[Any]) -> set[int]:
    """Those of these due messages of a lane that are no suspects: their worker had the posting of others under way."""
    held = [row for row in rows if row.lease_token is not None]
    if not held:
        return set()
    sending = select(Posting.message_id).where(
        Posting.message_id.in_([row.id for row in held]), Posting.state == "sending"
    )
    under_way = set(session.execute(sending).scalars())
    told = {row.lease_token for row in held if row.id in under_way}
    return {row.id for row in held if row.lease_token in told and row.id not in under_way}


def one_lot(due: Sequence[tuple[int, int]], lots: dict[int, int]) -> tuple[int, list[int]]:
    """How many workers the first of these (id, workers lost) has cost, and which are worked on together with it."""
    if not due:
        return 0, []
    lost = due[0][1]
    alike = [key for key, count in due if count == lost]
    return lost, alike if lost == 0 else alike[: lots.get(lost, 1)]
