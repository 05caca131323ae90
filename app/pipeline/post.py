"""Third step: every target gets its document exactly once, in the order of the key.

1. Hold lanes of the plant, and what is due in them, under a lease: several where the plant's targets answer quickly.
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
from app.pipeline.outcome import Failed, attempt
from app.pipeline.recording import bury
from app.pipeline.visit import LanesLost, Visit, give_up_lanes
from app.pipeline.wave import Wave, commit_and_choose, hold_and_choose

log = structlog.get_logger()


def post_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Post up to ``up_to`` due messages of the plant, lane after lane, and what others of this process had to leave;
    returns the ids that are now posted."""
    shares = pipeline.shares
    if not shares.enter(plant, up_to, quick=pipeline.pace.is_quick(pipeline.topology.targets_of(plant))):
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
        visit, wave = held
        lanes = sorted({message.lane for message in visit.messages.values()})
        left -= len(visit.messages)
        with given_back(pipeline, list(visit.messages), visit.token):
            given_up = _work(pipeline, visit, wave)
        posted += visit.posted
        if visit.posted:
            log.info("messages_moved", plant=plant, lanes=lanes, done="post", message_ids=sorted(visit.posted))
        if given_up:
            return given_up + max(0, left)
        if visit.is_last:
            break
    return 0


def _work(pipeline: Pipeline, visit: Visit, wave: Wave | None) -> int:
    try:
        if wave is None:
            end_lost(pipeline, visit)
            wave = commit_and_choose(pipeline, visit)
        while wave.postings:
            with pipeline.shares.calling(visit.plant):
                ended = post_wave(pipeline, wave.postings, wave.calls, wave.start_by)
            for result, error in ended:
                noted = attempt(result.posting.message_id, partial(note, pipeline, visit, result, error))
                if isinstance(noted, Failed):
                    bury(pipeline, visit, result.posting.message_id, noted)
            wave = commit_and_choose(pipeline, visit)
        return give_up_lanes(pipeline, visit)
    except LanesLost:
        log.warning("lanes_lost", plant=visit.plant, lanes=sorted(visit.lanes))
        return 0
