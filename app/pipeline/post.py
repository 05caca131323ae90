"""Third step: every target gets its document exactly once, in the order of the key.

1. Hold one lane of the plant, and what is due in it, under a lease.
2. Commit the intent of a wave: the next posting of each key's first message.
3. Call the targets; no transaction is open meanwhile.
4. Commit the answers, the messages that are finished, and the intent of the next wave together.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from app.errors import LinesideError, Refused, TargetPaused
from app.inbox.claim import (
    Claimed,
    claim_lane,
    claim_lane_messages,
    extend_lane,
    new_token,
    release_lane,
)
from app.inbox.order import blocking_predecessors, wake_next
from app.inbox.states import Move, State, Step, move_messages, wake
from app.pipeline.calls import NOT_STARTED, StartBy, longest_call_seconds, post_wave
from app.pipeline.context import Pipeline
from app.pipeline.enrich import load_events
from app.pipeline.finish import references_fulfilled, take_effect
from app.pipeline.outcome import dead_move, failure_move, wait_for_key, wait_for_target
from app.postings.ledger import (
    OpenPosting,
    PostingResult,
    PostingState,
    load_open,
    pause_target,
    paused_targets,
    record_intents,
    record_results,
)
from app.store.documents import ENRICHED
from mappings.context import Event

log = structlog.get_logger()

# A wave's calls begin within this time; the lease then lasts until the last of them has surely ended.
WAVE_SECONDS = 5.0
LEASE_MARGIN_SECONDS = 5.0
# A wave is no larger than a target may begin within that time: an intent that comes to nothing is a row too.
CALLS_IN_TURN = 8


@dataclass
class _Lane:
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


def post_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Post up to ``up_to`` due messages of the plant, lane after lane; returns the ids that are now posted."""
    posted: list[int] = []
    left = up_to
    while left > 0 and (lane := _hold_lane(pipeline, plant, left)) is not None:
        left -= lane.claimed
        posted += _work_lane(pipeline, lane)
    return sorted(posted)


def _work_lane(pipeline: Pipeline, lane: _Lane) -> list[int]:
    try:
        while True:
            wave, start_by = _commit_and_choose(pipeline, lane)
            if not wave:
                break
            for result, error in post_wave(pipeline, wave, start_by):
                _note(pipeline, lane, result, error)
    except LaneLost:
        log.warning("lane_lost", plant=lane.plant, lane=lane.number)
    return lane.posted


def _hold_lane(pipeline: Pipeline, plant: str, up_to: int) -> _Lane | None:
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
    return _Lane(plant, number, token, len(claimed), list(queues.values()), opened, events)


def _claim(
    session: Session, pipeline: Pipeline, plant: str, up_to: int, token: str, now: datetime
) -> tuple[int, list[Claimed]]:
    """A lane and its due messages. In some lanes nothing that is due may go on yet; they must not hide the others."""
    tried: set[int] = set()
    while (number := claim_lane(session, plant, token, now, pipeline.lease_seconds)) is not None:
        claimed = claim_lane_messages(session, plant, number, up_to, token, now, pipeline.lease_seconds)
        if claimed:
            return number, claimed
        release_lane(session, plant, number, token, now)
        if number in tried:
            break
        tried.add(number)
    return 0, []


def _commit_and_choose(pipeline: Pipeline, lane: _Lane) -> tuple[list[OpenPosting], StartBy]:
    """Write all that happened, choose the next wave and commit its intent; an empty wave ends the lane's work."""
    with pipeline.store.writing() as session:
        now, monotonic = pipeline.clock(), time.monotonic()
        for target, reason in lane.pauses.items():
            pause_target(session, target, reason, now)
        wave = _next_wave(pipeline, lane, paused_targets(session))
        start_by = StartBy(pipeline.clock, now + timedelta(seconds=WAVE_SECONDS), monotonic + WAVE_SECONDS)
        until = start_by.at + timedelta(seconds=longest_call_seconds(pipeline, wave) + LEASE_MARGIN_SECONDS)
        if not extend_lane(session, lane.plant, lane.number, lane.token, until):
            raise LaneLost
        record_results(session, lane.results, now)
        _finish_messages(session, lane, now)
        record_intents(session, wave, pipeline.worker, now)
        if not wave:
            release_lane(session, lane.plant, lane.number, lane.token, now)
    lane.results, lane.moves, lane.finished, lane.pauses = [], [], [], {}
    return wave, start_by


def _next_wave(pipeline: Pipeline, lane: _Lane, paused: dict[str, str]) -> list[OpenPosting]:
    """The next posting of the first message of each key; messages with nothing left are noted as finished."""
    wave: list[OpenPosting] = []
    room = Counter({code: CALLS_IN_TURN * target.calls_in_flight for code, target in pipeline.topology.targets.items()})
    for queue in lane.queues:
        while queue:
            message = queue[0]
            left = lane.open.get(message.id, [])
            if left and left[0].target in paused:
                reason = f"Target {left[0].target} is paused: {paused[left[0].target]}"
                _stop_key(pipeline, lane, queue, TargetPaused(reason), left[0])
            elif left:
                if room[left[0].target] > 0 or left[0].target not in pipeline.topology.targets:
                    wave.append(left[0])
                    room[left[0].target] -= 1
                break
            else:
                lane.finished.append(queue.popleft())
    return wave


def _finish_messages(session: Session, lane: _Lane, now: datetime) -> None:
    """Make the messages that are through ``posted``, let their events take effect, and wake who waited for them."""
    moves = [*lane.moves, *(Move(message.id, State.POSTED) for message in lane.finished)]
    moved = move_messages(session, moves, now, lease_token=lane.token)
    done = [message for message in lane.finished if message.id in moved]
    if not done:
        return
    fulfilled = take_effect(session, lane.plant, [(message, lane.events[message.id]) for message in done], now)
    wake(session, sorted(set(fulfilled)), now)
    wake_next(session, [message.id for message in done if message.ordering_key], now)
    lane.posted += [message.id for message in done]


def _note(pipeline: Pipeline, lane: _Lane, result: PostingResult, error: LinesideError | None) -> None:
    """Take one call's result into account: on to the message's next posting, or stop its key."""
    lane.results.append(result)
    if result.outcome == NOT_STARTED:
        first = lane.open[result.posting.message_id]
        first[0] = replace(first[0], attempts=result.attempt)
        return
    queue = next(q for q in lane.queues if q and q[0].id == result.posting.message_id)
    if error is None or (result.state is PostingState.REFUSED and not result.posting.required):
        lane.open[result.posting.message_id].pop(0)
        return
    if isinstance(error, TargetPaused):
        lane.pauses[result.posting.target] = error.reason
    _stop_key(pipeline, lane, queue, error, result.posting)


def _stop_key(
    pipeline: Pipeline,
    lane: _Lane,
    queue: deque[Claimed],
    error: LinesideError,
    posting: OpenPosting,
) -> None:
    """The first message of a key cannot go on: it moves as its error says, and the key's others wait behind it."""
    first, *others = queue
    queue.clear()
    if isinstance(error, Refused):
        refused = Refused(error.code, f"{posting.target}: {error.reason}", error.field)
        move = dead_move(first, refused, lane.number)
    elif isinstance(error, TargetPaused):
        move = wait_for_target(pipeline, first, lane.number, posting.target, error.reason)
    else:
        target = pipeline.topology.targets[posting.target]
        move = failure_move(pipeline, first, Step.POST, error, target.retry, lane.number, target.timeout_seconds)
    lane.moves.append(move)
    lane.moves += [wait_for_key(pipeline, message, lane.number, first.id) for message in others]
