"""Hold one lane of a plant, and what is due in it, under a lease."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.inbox.claim import Claimed, claim_lane, claim_lane_messages, new_token, release_lane
from app.inbox.order import blocking_predecessors
from app.inbox.states import Move, move_messages
from app.pipeline.calls import longest_lane_seconds
from app.pipeline.context import Pipeline
from app.pipeline.enrich import load_events
from app.pipeline.finish import references_fulfilled
from app.pipeline.outcome import wait_for_key
from app.postings.ledger import OpenPosting, PostingResult, load_open
from app.store.documents import ENRICHED
from mappings.context import Event


@dataclass
class Lane:
    """One held lane and what is left to do in it. ``queues``: for each key its messages in order; ``moves``: what the
    next commit is to write."""

    plant: str
    number: int
    token: str
    claimed: int
    queues: list[deque[Claimed]]
    open: dict[int, list[OpenPosting]]
    events: dict[int, tuple[Event, ...]]
    results: list[PostingResult] = field(default_factory=list)
    finished: list[Claimed] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    pauses: dict[str, str] = field(default_factory=dict)
    posted: list[int] = field(default_factory=list)


class LaneLost(Exception):
    """The lease ended before the work did; whoever holds the lane now asks the targets before it sends anything."""


def hold_lane(pipeline: Pipeline, plant: str, up_to: int) -> Lane | None:
    """Hold a lane with what may go on in it; what must wait for its turn is written down at once, in the transaction
    that saw it, so that nobody can end what it waits for in between and wake no one."""
    now, token = pipeline.clock(), new_token()
    with pipeline.store.writing() as session:
        number, claimed = _claim(session, pipeline, plant, up_to, token, now)
        if not claimed:
            return None
        ids = [message.id for message in claimed]
        events = load_events(session, ids, ENRICHED)
        fulfils = {key: references_fulfilled(plant, events[key]) for key in ids}
        blocked = blocking_predecessors(session, plant, claimed, fulfils)
        behind = [
            wait_for_key(pipeline, m, number, blocked[m.id], looks_soon=bool(fulfils[m.id]))
            for m in claimed
            if m.id in blocked
        ]
        move_messages(session, behind, now, lease_token=token)
        opened = load_open(session, ids)
    queues: dict[str, deque[Claimed]] = {}
    for message in claimed:
        if message.id not in blocked:
            queues.setdefault(message.ordering_key or f"message:{message.id}", deque()).append(message)
    return Lane(plant, number, token, len(claimed), list(queues.values()), opened, events)


def _claim(
    session: Session, pipeline: Pipeline, plant: str, up_to: int, token: str, now: datetime
) -> tuple[int, list[Claimed]]:
    """A lane and its due messages. In some lanes nothing that is due may go on yet; they must not hide the others."""
    tried: set[int] = set()
    # After a leap of the clock another's lease may only seem to have ended, and its call may still be under way.
    take_over = not pipeline.leapt_within(longest_lane_seconds(pipeline))
    while (number := claim_lane(session, plant, token, now, pipeline.lease_seconds, take_over)) is not None:
        claimed = claim_lane_messages(session, plant, number, up_to, token, now, pipeline.lease_seconds)
        if claimed:
            return number, claimed
        release_lane(session, plant, number, token, now)
        if number in tried:
            break
        tried.add(number)
    return 0, []
