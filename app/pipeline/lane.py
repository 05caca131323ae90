"""Hold one lane of a plant, and what is due in it, under a lease."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.inbox.claim import (
    Claimed,
    claim_lane,
    claim_lane_messages,
    give_back_messages,
    new_token,
    release_lane,
)
from app.inbox.states import Move, move_messages
from app.pipeline.calls import longest_lane_seconds
from app.pipeline.context import Pipeline
from app.pipeline.enrich import load_events
from app.pipeline.late import drop_stale
from app.pipeline.turns import Turns, take_turns
from app.postings.circuit import Told
from app.postings.ledger import OpenPosting, PostingResult, load_open
from app.postings.pauses import is_plant_paused
from app.postings.reversals import Order, open_orders, plan_reversals
from app.postings.room import wish_for_room
from app.store.documents import ENRICHED
from mappings.context import Event


@dataclass
class Lane:
    """One held lane and what is left to do in it. ``messages``: all that were claimed, as they were then; ``queues``:
    for each key its messages in order; ``moves``: what the next commit is to write. A message with an order among
    ``orders`` is being reversed, in a queue of its own, and first ``settling`` where the outcome of a posting is
    unknown. ``refused``: whether the refusal of a message has its other postings reversed by itself. ``told``: what the
    last calls tell about their targets; ``without_room``: the targets that have none for what is left, and when to look
    again."""

    plant: str
    number: int
    token: str
    messages: dict[int, Claimed]
    queues: list[deque[Claimed]]
    open: dict[int, list[OpenPosting]]
    events: dict[int, tuple[Event, ...]]
    orders: dict[int, Order]
    settling: set[int]
    turns: Turns = field(default_factory=Turns)
    results: list[PostingResult] = field(default_factory=list)
    finished: list[Claimed] = field(default_factory=list)
    reversed: list[Claimed] = field(default_factory=list)
    refused: dict[int, bool] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    pauses: dict[str, str] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    holds_room: bool = False
    without_room: dict[str, datetime] = field(default_factory=dict)
    posted: list[int] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        """Whether anything happened to a message since the last commit."""
        return bool(self.results or self.moves or self.finished or self.reversed)

    def news_of(self, ids: Collection[int]) -> Lane:
        """The same lane with the news of these messages alone."""
        return replace(
            self,
            results=[result for result in self.results if result.posting.message_id in ids],
            moves=[move for move in self.moves if move.message_id in ids],
            finished=[message for message in self.finished if message.id in ids],
            reversed=[message for message in self.reversed if message.id in ids],
            refused={key: automatic for key, automatic in self.refused.items() if key in ids},
        )

    def forget_news(self, ids: Collection[int], posted: Sequence[int]) -> None:
        """What happened to these is committed, and those of them are ``posted`` now."""
        left = self.news_of(self.messages.keys() - set(ids))
        self.results, self.moves, self.finished = left.results, left.moves, left.finished
        self.reversed, self.refused = left.reversed, left.refused
        self.posted += posted


class LaneLost(Exception):
    """The lease ended before the work did; whoever holds the lane now asks the targets before it sends anything."""


def hold_lane(pipeline: Pipeline, plant: str, up_to: int) -> Lane | None:
    """Hold a lane with what may go on in it; what must wait for its turn is written down at once, in the transaction
    that saw it, so that nobody can end what it waits for in between and wake no one."""
    now, token = pipeline.clock(), new_token()
    with pipeline.store.writing() as session:
        if is_plant_paused(session, plant):
            return None
        number, claimed = _claim(session, pipeline, plant, up_to, token, now)
        if not claimed:
            return None
        ids = [message.id for message in claimed]
        events = load_events(session, ids, ENRICHED)
        orders = open_orders(session, ids)
        onward = [message for message in claimed if message.id not in orders]
        turns = take_turns(pipeline, session, plant, number, onward, events, now)
        move_messages(session, list(turns.moves.values()), now, lease_token=token)
        opened, settling = _open(session, ids, orders, now)
        drop_stale(session, plant, [m for m in onward if m.id not in turns.moves], events, opened, now)
    queues: dict[str, deque[Claimed]] = {}
    for message in claimed:
        if message.id not in turns.moves:
            key = None if message.id in orders else message.ordering_key
            queues.setdefault(key or f"message:{message.id}", deque()).append(message)
    messages = {message.id: message for message in claimed}
    return Lane(plant, number, token, messages, list(queues.values()), opened, events, orders, settling, turns)


def _open(
    session: Session, ids: list[int], orders: Mapping[int, Order], now: datetime
) -> tuple[dict[int, list[OpenPosting]], set[int]]:
    """What is to be done for each message. One that is being reversed first has every unknown outcome asked for, and
    until all are known no reversal is planned; what else was planned of it stays as it is."""
    opened = load_open(session, ids)
    unknown = {
        key: [replace(posting, asks_only=True) for posting in opened.get(key, ()) if posting.may_be_held]
        for key in orders
    }
    settling = {key for key, postings in unknown.items() if postings}
    plan_reversals(session, orders.keys() - settling, now)
    reversals = load_open(session, list(orders.keys() - settling)) if orders.keys() - settling else {}
    for key in orders:
        opened[key] = unknown[key] or [p for p in reversals.get(key, ()) if p.reverses is not None]
    return opened, settling


def give_up_lane(pipeline: Pipeline, lane: Lane) -> int:
    """Let the lane go at once with what its targets have no room for now; returns how many messages that is. They are
    due again when there may be room."""
    left = [message.id for queue in lane.queues for message in queue]
    if not left:
        return 0
    now = pipeline.clock()
    with pipeline.store.writing() as session:
        # The lane before its messages, as everywhere: whoever decides about one of them holds them in that order.
        release_lane(session, lane.plant, lane.number, lane.token, now)
        give_back_messages(session, left, lane.token, min(lane.without_room.values(), default=now))
        wish_for_room(session, lane.without_room, lane.plant, now)
    return len(left)


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
