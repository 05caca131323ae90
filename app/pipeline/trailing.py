"""What becomes of a posting that is not required and cannot go on: it waits, or ends by itself. Its message stays
posted, whatever happens, and what trails towards other targets goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from app.errors import LinesideError, PeriodClosed, Refused, TargetPaused
from app.inbox.claim import Claimed
from app.inbox.states import Move, State, Step
from app.pipeline.context import Pipeline
from app.pipeline.outcome import (
    RECHECK_CAP_SECONDS,
    RECHECK_TURN_SECONDS,
    next_try,
    wait_for_period,
    wait_for_target,
    wait_for_turn,
    worker_lost,
)
from app.pipeline.queues import Queue, left_to_people
from app.pipeline.visit import Visit
from app.postings.ledger import OpenPosting, PostingResult, PostingState
from app.postings.trailing import Tries


def leave(pipeline: Pipeline, visit: Visit, messages: Iterable[Claimed]) -> None:
    """These have left one of their queues; whoever stands in none any more moves."""
    now = pipeline.clock()
    moves = [visit.trailing.leave(message.id, now) for message in messages]
    visit.moves += [move for move in moves if move is not None]


def stop_trailing(pipeline: Pipeline, visit: Visit, queue: Queue, error: LinesideError, posting: OpenPosting) -> None:
    """The first message of the queue cannot go on there, and those behind it wait; or that was so for long enough, and
    its posting ends."""
    following = _following(pipeline, visit, queue[0], error, posting)
    if isinstance(following, Refused):
        _end(visit, posting, following)
        return
    visit.tries.append(_tries(posting, following))
    _stop(pipeline, visit, queue, following)


def _following(
    pipeline: Pipeline, visit: Visit, message: Claimed, error: LinesideError, posting: OpenPosting
) -> Move | Refused:
    tried = replace(
        message,
        retries=posting.retries,
        retrying_since=posting.retrying_since,
        waiting_since=posting.waiting_since,
        waiting_for=None,
    )
    if isinstance(error, TargetPaused):
        return wait_for_target(pipeline, tried, posting.target, error.reason)
    if isinstance(error, PeriodClosed):
        return wait_for_period(pipeline, tried, posting.target, error)
    if isinstance(error, Refused):  # on our side, after a call of which nobody knows what it did
        return left_to_people(tried, posting, pipeline.clock(), error.reason)
    target = pipeline.topology.targets[posting.target]
    following = next_try(pipeline, tried, Step.POST, error, target.retry, target.timeout_seconds)
    if isinstance(following, Refused) and _is_unknown(visit, posting):
        # Not known is not refused: the target is asked as long as it cannot tell, but seldom.
        return Move(
            message.id,
            State.POSTED,
            Step.POST,
            pipeline.clock() + timedelta(seconds=RECHECK_TURN_SECONDS),
            lane=message.lane,
            attempts=message.attempts,
            retries=tried.retries,
            retrying_since=tried.retrying_since,
            reason_code=following.code,
            reason=following.reason,
        )
    return following


def _is_unknown(visit: Visit, posting: OpenPosting) -> bool:
    return any(one.posting.id == posting.id and one.state is PostingState.UNKNOWN for one in visit.results)


def _tries(posting: OpenPosting, move: Move) -> Tries:
    """What it waits for may come at any time; only after a failure it has a time of its own."""
    retry_at = move.due_at if move.waiting_for is None else None
    counted = (move.retries, move.retrying_since, move.waiting_since)
    return Tries(posting.id, posting.message_id, retry_at, *counted)


def _end(visit: Visit, posting: OpenPosting, refused: Refused) -> None:
    """Its posting is given up; the queue goes on with the next."""
    visit.results = [
        replace(one, state=PostingState.REFUSED, detail=refused.reason, reason_code=refused.code)
        if one.posting.id == posting.id
        else one
        for one in visit.results
    ]
    visit.drop(posting)


def _stop(pipeline: Pipeline, visit: Visit, queue: Queue, following: Move) -> None:
    first, *others = queue
    queue.clear()
    visit.trailing.stop(following)
    for message in others:
        visit.trailing.stop(wait_for_turn(pipeline, message, queue.target or "", first.id))
    leave(pipeline, visit, [first, *others])


def end_lost_trailing(pipeline: Pipeline, visit: Visit, queue: Queue) -> None:
    """What was under way when the workers ended is left to people; where nothing was, what trails there is given up."""
    first = queue[0]
    error = worker_lost(first)
    left = list(visit.open.get(first.id, ()))
    was_under_way = any(posting.state is PostingState.SENDING for posting in left)
    for posting in [posting for posting in left if posting.target == queue.target]:
        if posting.state is PostingState.SENDING:
            visit.results.append(_lost(posting, PostingState.UNKNOWN, error))
            _stop(pipeline, visit, queue, left_to_people(first, posting, pipeline.clock(), error.reason))
            return
        if posting.state is PostingState.PLANNED and not was_under_way:
            visit.results.append(_lost(posting, PostingState.REFUSED, error))
            visit.drop(posting)


def _lost(posting: OpenPosting, state: PostingState, error: Refused) -> PostingResult:
    return PostingResult(posting, posting.attempts, state, error.code, error.reason, reason_code=error.code)


def ended_by_fault(visit: Visit, message_id: int, error: Refused) -> list[PostingResult]:
    """How the posting ends that comes next of this message, and cannot be written down as under way."""
    for queue in visit.queues:
        head = visit.head(queue) if queue and queue[0].id == message_id else None
        if head is not None:
            state = PostingState.REFUSED if head.state is PostingState.PLANNED else PostingState.UNKNOWN
            return [_lost(head, state, error)]
    return []


def looked_at_later(pipeline: Pipeline, message: Claimed, error: LinesideError) -> Move:
    """After a fault of our own: posted as before, and what else trails of it goes on in some minutes."""
    due_at = pipeline.clock() + timedelta(seconds=RECHECK_CAP_SECONDS)
    told = error.code if isinstance(error, Refused) else "internal_error"
    return Move(
        message.id, State.POSTED, Step.POST, due_at, message.lane, message.attempts, reason_code=told, reason=str(error)
    )


def cut_trailing(pipeline: Pipeline, visit: Visit, message_id: int) -> None:
    """Take this message out of all its queues, with those behind it, which wait for it."""
    for queue in visit.queues:
        standing = [message.id for message in queue]
        if queue.target is None or message_id not in standing:
            continue
        behind = list(queue)[standing.index(message_id) + 1 :]
        for _ in range(len(behind) + 1):
            queue.pop()
        for message in behind:
            visit.trailing.stop(wait_for_turn(pipeline, message, queue.target, message_id))
        leave(pipeline, visit, behind)
