"""Third step: every target gets its document exactly once, in the order of the key.

1. Hold one lane of the plant, and what is due in it, under a lease.
2. Commit the intent of a wave: the next posting of each key's first message, as far as its target has room. That of
   the first wave is committed together with the lease.
3. Call the targets; no transaction is open meanwhile, and no thread waits for room.
4. Commit the answers, the messages that are finished, and the intent of the next wave together.
"""

from __future__ import annotations

from functools import partial

import structlog

from app.pipeline.after_call import end_lost, note
from app.pipeline.calls import post_wave
from app.pipeline.context import Pipeline
from app.pipeline.given_back import given_back
from app.pipeline.lane import Lane, LaneLost, give_up_lane
from app.pipeline.outcome import Failed, attempt
from app.pipeline.recording import bury
from app.pipeline.wave import Wave, commit_and_choose, hold_and_choose

log = structlog.get_logger()


def post_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Post up to ``up_to`` due messages of the plant, lane after lane, and what others of this process had to leave;
    returns the ids that are now posted."""
    shares = pipeline.shares
    if not shares.enter(plant, up_to):
        return []
    posted: list[int] = []
    left, undone, ended = up_to, 0, False
    try:
        while left > 0 and not undone:
            undone = _work_lanes(pipeline, plant, left, posted)
            if not undone:
                left = shares.go_on(plant)
                ended = left == 0
    finally:
        if not ended:
            shares.leave(plant, undone)
    return sorted(posted)


def _work_lanes(pipeline: Pipeline, plant: str, up_to: int, posted: list[int]) -> int:
    """Work lane after lane; returns how many messages it had to leave because no target had room for them."""
    left = up_to
    while left > 0 and (held := hold_and_choose(pipeline, plant, left)) is not None:
        lane, wave = held
        left -= len(lane.messages)
        with given_back(pipeline, list(lane.messages), lane.token):
            given_up = _work_lane(pipeline, lane, wave)
        posted += lane.posted
        if lane.posted:
            log.info("messages_moved", plant=plant, lane=lane.number, done="post", message_ids=sorted(lane.posted))
        if given_up:
            return given_up + max(0, left)
        if lane.is_last:
            break
    return 0


def _work_lane(pipeline: Pipeline, lane: Lane, wave: Wave | None) -> int:
    try:
        if wave is None:
            end_lost(pipeline, lane)
            wave = commit_and_choose(pipeline, lane)
        while wave.postings:
            for result, error in post_wave(pipeline, wave.postings, wave.calls, wave.start_by):
                noted = attempt(result.posting.message_id, partial(note, pipeline, lane, result, error))
                if isinstance(noted, Failed):
                    bury(pipeline, lane, result.posting.message_id, noted)
            wave = commit_and_choose(pipeline, lane)
        return give_up_lane(pipeline, lane)
    except LaneLost:
        log.warning("lane_lost", plant=lane.plant, lane=lane.number)
        return 0
