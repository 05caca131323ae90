"""Hold some lanes of a plant, and what is due in them, under a lease."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.inbox.claim import Claimed, give_back_messages, new_token
from app.inbox.lanes import claim_lanes, release_lanes
from app.inbox.states import Move, State, move_messages
from app.inbox.trailing import wake_next_trailing
from app.pipeline.calls import longest_lane_seconds
from app.pipeline.context import Pipeline
from app.pipeline.enrich import load_events
from app.pipeline.late import drop_stale
from app.pipeline.queues import Queue, Trailing, line_up_trailing
from app.pipeline.turns import Turns, take_turns
from app.postings.circuit import Told
from app.postings.ledger import OpenPosting, PostingResult, load_open
from app.postings.pauses import is_plant_paused
from app.postings.reversals import Order, open_orders, plan_reversals
from app.postings.room import wish_for_room
from app.postings.trailing import Tries, withdraw
from app.store.documents import ENRICHED
from mappings.context import Event

# Lanes that are held at once where the targets answer quickly: what comes one by one would else cost a visit each.
LANES_MOST = 16


@dataclass
class Visit:
    """Some lanes of a plant while they are held, and what is left to do in them. ``lanes``: those that still have
    something; ``messages``: all that were claimed, as they were then; ``queues``: for each key its messages in
    order; ``moves``: what the next commit is to write. A message with an order among ``orders`` is being reversed,
    in a queue of its own, and first ``settling`` where the outcome of a posting is unknown. ``trailing``: the posted
    ones, of which what is not required is made, with its ``tries``; ``followed``: the targets that are left for when
    a message is posted. ``refused``: whether the refusal of a message has its other postings reversed by itself.
    ``told``: what the last calls tell about their targets; ``without_room``: the targets that have none for what is
    left, and when to look again; ``heads``: the queue of each posting that comes next; ``is_last``: nothing else of
    the plant was due to be posted when the last lane was let go."""

    plant: str
    lanes: set[int]
    token: str
    messages: dict[int, Claimed]
    queues: list[Queue]
    open: dict[int, list[OpenPosting]]
    events: dict[int, tuple[Event, ...]]
    orders: dict[int, Order]
    settling: set[int]
    trailing: Trailing
    followed: dict[int, list[str]]
    turns: Turns = field(default_factory=Turns)
    tries: list[Tries] = field(default_factory=list)
    results: list[PostingResult] = field(default_factory=list)
    finished: list[Claimed] = field(default_factory=list)
    reversed: list[Claimed] = field(default_factory=list)
    refused: dict[int, bool] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    pauses: dict[str, str] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    holds_room: bool = False
    without_room: dict[str, datetime] = field(default_factory=dict)
    heads: dict[int, Queue] = field(default_factory=dict)
    posted: list[int] = field(default_factory=list)
    is_last: bool = False

    @property
    def has_news(self) -> bool:
        """Whether anything happened to a message since the last commit."""
        return bool(self.results or self.moves or self.finished or self.reversed or self.tries)

    def lanes_needed(self) -> set[int]:
        """The lanes in which something is left to do."""
        return {queue[0].lane for queue in self.queues if queue}

    def head(self, queue: Queue) -> OpenPosting | None:
        """What is to be posted next of the queue's first message."""
        left = self.open.get(queue[0].id, [])
        return next((posting for posting in left if queue.target in (None, posting.target)), None)

    def queue_of(self, posting: OpenPosting) -> Queue:
        """The queue in which this posting, of the wave that was chosen last, comes next."""
        return self.heads[posting.id]

    def put_in_place_of(self, posting: OpenPosting, changed: OpenPosting) -> None:
        mine = self.open[posting.message_id]
        mine[:] = [changed if one.id == posting.id else one for one in mine]

    def drop(self, posting: OpenPosting) -> None:
        """It has ended."""
        mine = self.open[posting.message_id]
        mine[:] = [one for one in mine if one.id != posting.id]

    def is_trailing(self, message_id: int) -> bool:
        return self.messages[message_id].state == State.POSTED and message_id not in self.orders

    def news_of(self, ids: Collection[int]) -> Visit:
        """The same with the news of these messages alone."""
        return replace(
            self,
            results=[result for result in self.results if result.posting.message_id in ids],
            moves=[move for move in self.moves if move.message_id in ids],
            finished=[message for message in self.finished if message.id in ids],
            reversed=[message for message in self.reversed if message.id in ids],
            tries=[one for one in self.tries if one.message_id in ids],
            refused={key: automatic for key, automatic in self.refused.items() if key in ids},
        )

    def forget_news(self, ids: Collection[int], posted: Sequence[int]) -> None:
        """What happened to these is committed, and those of them are ``posted`` now."""
        left = self.news_of(self.messages.keys() - set(ids))
        self.results, self.moves, self.finished = left.results, left.moves, left.finished
        self.reversed, self.tries, self.refused = left.reversed, left.tries, left.refused
        self.posted += posted


class LanesLost(Exception):
    """A lease ended before the work did; whoever holds the lane now asks the targets before it sends anything."""


def hold_lanes(pipeline: Pipeline, plant: str, up_to: int) -> Visit | None:
    """Hold lanes with what may go on in them; what must wait for its turn is written down at once, in the transaction
    that saw it, so that nobody can end what it waits for in between and wake no one."""
    with pipeline.store.writing() as session:
        return hold_lanes_in(session, pipeline, plant, up_to)


def hold_lanes_in(session: Session, pipeline: Pipeline, plant: str, up_to: int) -> Visit | None:
    """The same in a transaction of the caller's."""
    now, token = pipeline.clock(), new_token()
    if is_plant_paused(session, plant):
        return None
    # After a leap of the clock another's lease may only seem to have ended, and its call may still be under way.
    take_over = not pipeline.leapt_within(longest_lane_seconds(pipeline))
    lanes_most = LANES_MOST if pipeline.pace.is_quick(pipeline.topology.targets_of(plant)) else 1
    lanes, claimed = claim_lanes(
        session, plant, up_to, token, now, pipeline.lease_seconds, lanes_most=lanes_most, take_over=take_over
    )
    if not claimed:
        return None
    return _look_at(pipeline, session, plant, lanes, token, claimed, now)


def _look_at(
    pipeline: Pipeline,
    session: Session,
    plant: str,
    lanes: set[int],
    token: str,
    claimed: list[Claimed],
    now: datetime,
) -> Visit:
    """Sort what was claimed: what is reversed, what trails, and what goes on in the order of its key."""
    ids = [message.id for message in claimed]
    events = load_events(session, ids, ENRICHED)
    orders = open_orders(session, ids)
    trailing = [message for message in claimed if message.state == State.POSTED and message.id not in orders]
    onward = [message for message in claimed if message.state != State.POSTED and message.id not in orders]
    turns = take_turns(pipeline, session, plant, onward, events, now)
    move_messages(session, list(turns.moves.values()), now, lease_token=token)
    onward = [message for message in onward if message.id not in turns.moves]
    opened, settling = _open(session, ids, orders, now)
    drop_stale(session, plant, [m for m in (*onward, *trailing) if m.id in events], events, opened, now)
    followed = _set_apart(onward, opened)
    lined_up = line_up_trailing(pipeline, session, trailing, opened, now)
    _leave_out(session, [message for message in trailing if not lined_up.places[message.id]], lined_up, token, now)
    queues = _queues([m for m in claimed if m.id in orders], onward, lined_up)
    messages = {message.id: message for message in claimed}
    return Visit(plant, lanes, token, messages, queues, opened, events, orders, settling, lined_up, followed, turns)


def _queues(reversed_ones: Iterable[Claimed], onward: Iterable[Claimed], trailing: Trailing) -> list[Queue]:
    queues: dict[str, Queue] = {}
    for message in onward:
        queues.setdefault(message.ordering_key or f"message:{message.id}", Queue()).append(message)
    return [*queues.values(), *(Queue([message]) for message in reversed_ones), *trailing.queues.values()]


def _set_apart(onward: Iterable[Claimed], opened: dict[int, list[OpenPosting]]) -> dict[int, list[str]]:
    """What is not required is made once the message is posted; returns where that is."""
    followed: dict[int, list[str]] = {}
    for message in onward:
        postings = opened.get(message.id, [])
        trail = list(dict.fromkeys(posting.target for posting in postings if not posting.required))
        if trail:
            followed[message.id] = trail
            opened[message.id] = [posting for posting in postings if posting.required]
    return followed


def _leave_out(session: Session, messages: Sequence[Claimed], trailing: Trailing, token: str, now: datetime) -> None:
    """Write down at once what these wait for in every target, or that nothing of them trails any more."""
    moves = [trailing.move_of(message.id, now) for message in messages]
    moved = move_messages(session, moves, now, lease_token=token)
    through = [(move.message_id, None) for move in moves if move.step is None and move.message_id in moved]
    wake_next_trailing(session, through, now)


def _open(
    session: Session, ids: list[int], orders: Mapping[int, Order], now: datetime
) -> tuple[dict[int, list[OpenPosting]], set[int]]:
    """What is to be done for each message. One that is being reversed first has every unknown outcome asked for, and
    until all are known no reversal is planned. What else was planned of it is never sent where a person had it
    reversed, and else stays as it is: it is dead afterwards, and may be requeued."""
    opened = load_open(session, ids)
    unknown = {
        key: [replace(posting, asks_only=True) for posting in opened.get(key, ()) if posting.may_be_held]
        for key in orders
    }
    settling = {key for key, postings in unknown.items() if postings}
    withdraw(session, {key for key, order in orders.items() if order.ends_in == "compensated"} - settling, now)
    plan_reversals(session, orders.keys() - settling, now)
    reversals = load_open(session, list(orders.keys() - settling)) if orders.keys() - settling else {}
    for key in orders:
        opened[key] = unknown[key] or [p for p in reversals.get(key, ()) if p.reverses is not None]
    return opened, settling


def give_up_lanes(pipeline: Pipeline, visit: Visit) -> int:
    """Let the lanes go at once with what their targets have no room for now; returns how many messages that is. They
    are due again when there may be room."""
    left = list(dict.fromkeys(message.id for queue in visit.queues for message in queue))
    if not left:
        return 0
    now = pipeline.clock()
    with pipeline.store.writing() as session:
        # The lanes before their messages, as everywhere: whoever decides about one of them holds them in that order.
        release_lanes(session, visit.plant, visit.lanes, visit.token, now)
        give_back_messages(session, left, visit.token, min(visit.without_room.values(), default=now))
        wish_for_room(session, visit.without_room, visit.plant, now)
    return len(left)
