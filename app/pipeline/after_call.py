"""What follows for a message, and for those behind it, from one call to a target."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from app.errors import LinesideError, Refused, TargetPaused
from app.inbox.claim import Claimed
from app.inbox.states import Step
from app.pipeline.calls import NOT_STARTED
from app.pipeline.context import Pipeline
from app.pipeline.lane import Lane
from app.pipeline.outcome import dead_move, failure_move, wait_for_key, wait_for_target
from app.postings.ledger import OpenPosting, PostingResult, PostingState


def note(pipeline: Pipeline, lane: Lane, result: PostingResult, error: LinesideError | None) -> None:
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
    stop_key(pipeline, lane, queue, error, result.posting)


def stop_key(
    pipeline: Pipeline,
    lane: Lane,
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
