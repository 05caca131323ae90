"""Choose which postings of a lane are made next, and commit them together with all that the last ones brought."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.errors import TargetPaused
from app.inbox.claim import extend_lane, release_lane
from app.inbox.order import wake_next
from app.inbox.states import Move, State, move_messages, wake
from app.pipeline.after_call import stop_key
from app.pipeline.calls import LEASE_MARGIN_SECONDS, WAVE_SECONDS, StartBy, longest_call_seconds
from app.pipeline.context import Pipeline
from app.pipeline.finish import take_effect
from app.pipeline.lane import Lane, LaneLost
from app.pipeline.periods import opened
from app.pipeline.reversing import after_moves, end_moves, reverse_or_dead
from app.postings.ledger import OpenPosting, pause_target, paused_targets, record_intents, record_results
from app.postings.reversals import close_reversed

# A wave is no larger than a target may begin within that time: an intent that comes to nothing is a row too.
CALLS_IN_TURN = 8


def commit_and_choose(pipeline: Pipeline, lane: Lane) -> tuple[list[OpenPosting], StartBy]:
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
        close_reversed(session, lane.results, now)
        wake(session, opened(pipeline, lane.results), now)
        _finish_messages(session, lane, now)
        record_intents(session, wave, pipeline.worker, now)
        if not wave:
            release_lane(session, lane.plant, lane.number, lane.token, now)
    lane.results, lane.moves, lane.finished, lane.pauses = [], [], [], {}
    lane.reversed, lane.refused = [], {}
    return wave, start_by


def _next_wave(pipeline: Pipeline, lane: Lane, paused: dict[str, str]) -> list[OpenPosting]:
    """The next posting of the first message of each key; messages with nothing left are noted as finished."""
    wave: list[OpenPosting] = []
    room = Counter({code: CALLS_IN_TURN * target.calls_in_flight for code, target in pipeline.topology.targets.items()})
    for queue in lane.queues:
        while queue:
            message = queue[0]
            left = lane.open.get(message.id, [])
            if left and left[0].target in paused:
                reason = f"Target {left[0].target} is paused: {paused[left[0].target]}"
                stop_key(pipeline, lane, queue, TargetPaused(reason), left[0])
            elif left:
                if room[left[0].target] > 0 or left[0].target not in pipeline.topology.targets:
                    wave.append(left[0])
                    room[left[0].target] -= 1
                break
            else:
                ended = lane.reversed if message.id in lane.orders else lane.finished
                ended.append(queue.popleft())
    return wave


def _finish_messages(session: Session, lane: Lane, now: datetime) -> None:
    """Make the messages that are through ``posted``, let their events take effect, and wake who waited for them."""
    stopped, orders = reverse_or_dead(session, lane, now)
    ended = end_moves(session, lane, now) if lane.reversed else []
    moves = [*stopped, *ended, *(Move(message.id, State.POSTED) for message in lane.finished)]
    moved = move_messages(session, moves, now, lease_token=lane.token)
    after_moves(session, lane, orders, moved, now)
    done = [message for message in lane.finished if message.id in moved]
    if not done:
        return
    fulfilled = take_effect(session, lane.plant, [(message, lane.events[message.id]) for message in done], now)
    wake(session, sorted(set(fulfilled)), now)
    wake_next(session, [message.id for message in done if message.ordering_key], now)
    lane.posted += [message.id for message in done]
