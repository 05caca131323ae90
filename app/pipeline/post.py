"""Third step: every target gets its document exactly once, in the order of the key.

1. Hold one lane of the plant, and what is due in it, under a lease.
2. Commit the intent of a wave: the next posting of each key's first message.
3. Call the targets; no transaction is open meanwhile.
4. Commit the answers, the messages that are finished, and the intent of the next wave together.
"""

from __future__ import annotations

import structlog

from app.pipeline.after_call import end_lost, note
from app.pipeline.calls import post_wave
from app.pipeline.context import Pipeline
from app.pipeline.given_back import given_back
from app.pipeline.lane import Lane, LaneLost, hold_lane
from app.pipeline.wave import commit_and_choose

log = structlog.get_logger()


def post_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Post up to ``up_to`` due messages of the plant, lane after lane; returns the ids that are now posted."""
    posted: list[int] = []
    left = up_to
    while left > 0 and (lane := hold_lane(pipeline, plant, left)) is not None:
        left -= lane.claimed
        with given_back(pipeline, list(lane.events), lane.token):
            posted += _work_lane(pipeline, lane)
    return sorted(posted)


def _work_lane(pipeline: Pipeline, lane: Lane) -> list[int]:
    end_lost(pipeline, lane)
    try:
        while True:
            wave, start_by = commit_and_choose(pipeline, lane)
            if not wave:
                break
            for result, error in post_wave(pipeline, wave, start_by):
                note(pipeline, lane, result, error)
    except LaneLost:
        log.warning("lane_lost", plant=lane.plant, lane=lane.number)
    if lane.posted:
        log.info("messages_moved", plant=lane.plant, lane=lane.number, done="post", message_ids=sorted(lane.posted))
    return lane.posted
