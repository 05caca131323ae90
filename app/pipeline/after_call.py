"""What follows for a message, and for those behind it, from one call to a target, or from one that never came back."""

from __future__ import annotations

from dataclasses import replace

from app.errors import LinesideError, OutcomeUnknown, PeriodClosed, Refused, TargetPaused, Transient
from app.inbox.states import Step
from app.inbox.suspects import LOST_POSTERS_LIMIT
from app.pipeline.calls import NOT_STARTED
from app.pipeline.context import Pipeline
from app.pipeline.outcome import (
    InternalFault,
    dead_move,
    failure_move,
    wait_for_key,
    wait_for_period,
    wait_for_target,
    worker_lost,
)
from app.pipeline.periods import for_the_next_day
from app.pipeline.queues import Queue
from app.pipeline.reversing import kept_posted, refused_reversal, reverses_by_itself
from app.pipeline.trailing import end_lost_trailing, stop_trailing
from app.pipeline.visit import Visit
from app.postings.circuit import Told
from app.postings.ledger import OpenPosting, PostingResult, PostingState


def note(pipeline: Pipeline, visit: Visit, result: PostingResult, error: LinesideError | None) -> None:
    """Take one call's result into account: on to the message's next posting, or stop its key."""
    visit.results.append(result)
    posting = result.posting
    if result.outcome == NOT_STARTED:
        visit.put_in_place_of(posting, replace(posting, attempts=result.attempt))
        return
    visit.told[posting.target] = visit.told.get(posting.target, Told()) + _told(error)
    queue = visit.queue_of(posting)
    if error is None or (result.state is PostingState.REFUSED and not posting.required):
        visit.drop(posting)
        queue[0] = replace(queue[0], retries=0, retrying_since=None)
        return
    redated = for_the_next_day(pipeline, posting, error) if isinstance(error, PeriodClosed) else None
    if redated is not None:
        visit.put_in_place_of(posting, replace(redated, attempts=result.attempt))
        return
    if isinstance(error, TargetPaused):
        visit.pauses[posting.target] = error.reason
    automatic = reverses_by_itself(pipeline, result) if posting.required else None
    if automatic is not None:
        visit.refused[result.posting.message_id] = automatic
    stop_key(pipeline, visit, queue, error, posting)


def _told(error: LinesideError | None) -> Told:
    """What the call tells about its target. A refusal is an answer; our own faults and a pause say nothing."""
    if isinstance(error, (Transient, OutcomeUnknown)) and not error.alone:
        return Told(failed=1, after_seconds=error.after_seconds)
    if isinstance(error, (InternalFault, TargetPaused)):
        return Told()
    return Told(answered=1)


def end_lost(pipeline: Pipeline, visit: Visit) -> None:
    """Whose worker ended again and again is dead, and not even asked for: what was under way stays unknown. A posted
    message stays posted, and only what trails of it ends."""
    for queue in visit.queues:
        if not queue or queue[0].workers_lost < LOST_POSTERS_LIMIT:
            continue
        if queue.target is not None:
            end_lost_trailing(pipeline, visit, queue)
            continue
        first, *others = queue
        queue.clear()
        error = worker_lost(first)
        visit.moves.append(dead_move(first, error))
        visit.moves += [wait_for_key(pipeline, message, first.id) for message in others]
        visit.results += [
            PostingResult(
                posting, posting.attempts, PostingState.UNKNOWN, error.code, error.reason, reason_code=error.code
            )
            for posting in visit.open.get(first.id, ())
            if posting.state is PostingState.SENDING
        ]


def stop_key(
    pipeline: Pipeline,
    visit: Visit,
    queue: Queue,
    error: LinesideError,
    posting: OpenPosting,
) -> None:
    """The first message of a key cannot go on: it moves as its error says, and the key's others wait behind it."""
    if queue.target is not None:
        stop_trailing(pipeline, visit, queue, error, posting)
        return
    first, *others = queue
    if isinstance(error, Refused):
        move = dead_move(first, refused_reversal(posting, error))
    elif isinstance(error, TargetPaused):
        move = wait_for_target(pipeline, first, posting.target, error.reason)
    elif isinstance(error, PeriodClosed):
        move = wait_for_period(pipeline, first, posting.target, error)
    else:
        target = pipeline.topology.targets[posting.target]
        move = failure_move(pipeline, first, Step.POST, error, target.retry, target.timeout_seconds)
    queue.clear()
    visit.moves.append(kept_posted(first, move))
    visit.moves += [wait_for_key(pipeline, message, first.id) for message in others]
