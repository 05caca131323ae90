"""Write down what became of the messages of a visit; where the whole cannot be saved, its parts are, down to the
message at fault, which is dead then.

What a target answered is never lost with the message that it belongs to: it is kept as far as the database can hold
it, and asked for again where nothing of it can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.errors import Refused
from app.inbox.claim import Claimed
from app.inbox.lanes import extend_lanes
from app.inbox.order import wake_next
from app.inbox.restatements import any_waits, message_reference
from app.inbox.sequences import reach
from app.inbox.states import Move, State, Step, move_messages
from app.inbox.trailing import wake_next_trailing
from app.inbox.wakes import wake_arrived
from app.pipeline.context import Pipeline
from app.pipeline.finish import take_effect
from app.pipeline.late import late_notes
from app.pipeline.outcome import Done, Failed, attempt, attempt_together, failure_move, wait_for_key
from app.pipeline.periods import opened
from app.pipeline.reversing import after_moves, end_moves, kept_posted, reverse_or_dead
from app.pipeline.trailing import cut_trailing, ended_by_fault, looked_at_later
from app.pipeline.turns import rows_reached
from app.pipeline.visit import LanesLost, Visit
from app.postings.ledger import PostingResult, PostingState, record_results
from app.postings.reversals import close_reversed
from app.postings.trailing import record_tries
from app.store.trouble import is_database_trouble
from config.topology import RetryPolicy

NOT_SAVED = "not_saved"


def write_news(pipeline: Pipeline, session: Session, visit: Visit, now: datetime) -> list[int]:
    """Write all that happened since the last commit; returns the messages that are posted by it."""
    record_results(session, visit.results, now)
    close_reversed(session, visit.results, now)
    record_tries(session, visit.tries)
    wake_arrived(session, opened(pipeline, visit.results), now)
    wake_next_trailing(session, _ended_trailing(visit), now)
    return _finish_messages(session, visit, now)


def _ended_trailing(visit: Visit) -> list[tuple[int, str]]:
    """The messages of which something came to its end in a target, where the next of their keys may now go on."""
    ended = (PostingState.POSTED, PostingState.REFUSED)
    postings = (one.posting for one in visit.results if one.state in ended and not one.posting.required)
    return [(posting.message_id, posting.target) for posting in postings]


def _finish_messages(session: Session, visit: Visit, now: datetime) -> list[int]:
    """Make the messages that are through ``posted``, let their events take effect, and wake who waited for them."""
    stopped, orders = reverse_or_dead(session, visit, now)
    ended = end_moves(session, visit, now) if visit.reversed else []
    late = visit.turns.notes | late_notes(session, visit.plant, visit.finished, visit.events)
    done_moves = (_posted(visit, message, late.get(message.id), now) for message in visit.finished)
    moves = [*stopped, *ended, *done_moves]
    moved = move_messages(session, moves, now, lease_token=visit.token)
    after_moves(session, visit, orders, moved, now)
    done = [message for message in visit.finished if message.id in moved]
    if not done:
        return []
    fulfilled = take_effect(session, visit.plant, [(message, visit.events[message.id]) for message in done], now)
    reach(session, rows_reached(visit.turns.numbers, done), now)
    if any_waits(session):
        fulfilled += [message_reference(message.source, message.source_message_id) for message in done]
    wake_arrived(session, fulfilled, now)
    wake_next(session, [message.id for message in done if message.ordering_key], now)
    return [message.id for message in done]


def _posted(visit: Visit, message: Claimed, note: str | None, now: datetime) -> Move:
    """What is not required follows at once; it holds nobody any more."""
    followed = visit.followed.get(message.id)
    if not followed:
        return Move(message.id, State.POSTED, note=note)
    told = " ".join([*([note] if note else []), f"Not required, and still to be made: {', '.join(followed)}."])
    return Move(message.id, State.POSTED, Step.POST, now, lane=message.lane, note=told)


def record_in_parts(pipeline: Pipeline, visit: Visit) -> None:
    """Write the news of the visit, all together where that can be saved. Raises what the database's own trouble raised;
    what was not written by then is still the visit's news, and the targets are asked about it."""
    parts = [_in_order(visit)]
    while parts:
        told = set(_in_order(visit))
        part = [key for key in parts.pop() if key in told]
        if not part:
            continue
        outcome = _record(pipeline, visit, part)
        if isinstance(outcome, Done):
            visit.forget_news(part, outcome.value)
            continue
        raise_if_database_trouble(outcome)
        if len(part) > 1:
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
        else:
            bury(pipeline, visit, part[0], outcome)


def raise_if_database_trouble(failed: Failed) -> None:
    cause = failed.error.__cause__
    if cause is not None and is_database_trouble(cause):
        raise cause


def _in_order(visit: Visit) -> list[int]:
    """The messages that there is news of; those of one key stand as they follow each other."""
    ended = (message.id for message in (*visit.finished, *visit.reversed))
    moved = [move.message_id for move in visit.moves] + [tries.message_id for tries in visit.tries]
    return list(dict.fromkeys([*ended, *moved, *(result.posting.message_id for result in visit.results)]))


def _record(pipeline: Pipeline, visit: Visit, part: Sequence[int]) -> Done[list[int]] | Failed:
    mine = visit.news_of(set(part))

    def work() -> list[int]:
        with pipeline.store.writing() as session:
            return write_news(pipeline, session, mine, _hold_on(pipeline, session, visit))

    return attempt(part[0], work, LanesLost) if len(part) == 1 else attempt_together(work, LanesLost)


def _hold_on(pipeline: Pipeline, session: Session, visit: Visit) -> datetime:
    """Hold the lanes for another while, however many parts there are; no call is under way. Returns the time."""
    now = pipeline.clock()
    until = now + timedelta(seconds=pipeline.lease_seconds)
    if not extend_lanes(session, visit.plant, visit.lanes, visit.token, until):
        raise LanesLost
    return now


def bury(pipeline: Pipeline, visit: Visit, message_id: int, failed: Failed) -> None:
    """End this message by its fault, keep what is known of its postings, and let its key wait for it. Of one that is
    posted only the posting ends. Raises the fault where not even that can be saved."""
    message = visit.messages[message_id]
    results = visit.news_of({message_id}).results
    if visit.is_trailing(message_id):
        results = results or ended_by_fault(visit, message_id, _refused(failed))
        move = looked_at_later(pipeline, message, failed.error)
    else:
        move = failure_move(pipeline, message, Step.POST, failed.error, RetryPolicy())
    for kept in _as_far_as_can_be_kept(results, str(failed.error)):
        outcome = attempt_together(lambda kept=kept: _end(pipeline, visit, move, kept), LanesLost)  # type: ignore[misc]
        if isinstance(outcome, Done):
            break
        raise_if_database_trouble(outcome)
    else:
        raise failed.error.__cause__ or failed.error
    visit.forget_news({message_id}, ())
    if visit.is_trailing(message_id):
        cut_trailing(pipeline, visit, message_id)
    else:
        _let_key_wait(pipeline, visit, message)


def _refused(failed: Failed) -> Refused:
    return failed.error if isinstance(failed.error, Refused) else Refused("internal_error", str(failed.error))


def _end(pipeline: Pipeline, visit: Visit, move: Move, results: Sequence[PostingResult]) -> None:
    with pipeline.store.writing() as session:
        now = _hold_on(pipeline, session, visit)
        record_results(session, results, now)
        close_reversed(session, results, now)
        move = kept_posted(visit.messages[move.message_id], move)
        move_messages(session, [move], now, lease_token=visit.token)


def _as_far_as_can_be_kept(results: Sequence[PostingResult], reason: str) -> Iterator[list[PostingResult]]:
    """Less and less of the truth: all of it, without the answer's text, that nobody knows, and at last nothing, which
    leaves a posting as under way; either is asked for before it is sent again."""
    yield list(results)
    if not results:
        return
    yield [replace(result, answer=None) for result in results]
    yield [
        PostingResult(result.posting, result.posting.attempts + 1, PostingState.UNKNOWN, NOT_SAVED, reason[:2000])
        if result.posting.required
        else PostingResult(
            result.posting, result.attempt, PostingState.UNKNOWN, NOT_SAVED, reason[:2000], reason_code=NOT_SAVED
        )
        for result in results
    ]
    yield []


def _let_key_wait(pipeline: Pipeline, visit: Visit, first: Claimed) -> None:
    """Whoever comes after it waits behind it, as after any other message that cannot go on."""
    key = None if first.id in visit.orders else first.ordering_key
    behind = [message for message in visit.finished if key is not None and message.ordering_key == key]
    for queue in visit.queues:
        if queue and _is_of(queue[0], first, key, visit.orders):
            behind += [message for message in queue if message.id != first.id]
            queue.clear()
    visit.finished = [message for message in visit.finished if message not in behind]
    visit.moves += [wait_for_key(pipeline, message, first.id) for message in behind]


def _is_of(message: Claimed, first: Claimed, key: str | None, orders: Collection[int]) -> bool:
    return message.id == first.id or (key is not None and message.ordering_key == key and message.id not in orders)
