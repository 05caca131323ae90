"""Claim what is due for a step lot by lot, each under a lease of its own, and see that it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from app.inbox.claim import LOTS_A_PERMIT, Claimed, claim_messages, give_back_messages, new_token, were_lost
from app.inbox.states import Step, move_messages
from app.pipeline.context import Pipeline
from app.pipeline.outcome import Done, Failed, attempt, attempt_together, failure_move
from app.postings.pauses import is_plant_paused
from app.store.trouble import cannot_save_anything, is_database_trouble
from config.topology import RetryPolicy

log = structlog.get_logger()

# What a database in trouble could not take is due again after this, as if it had not been claimed.
TROUBLE_SECONDS = 10.0

Work = Callable[[list[Claimed], str], set[int]]


def work_lots(pipeline: Pipeline, plant: str, step: Step, up_to: int, work: Work) -> list[int]:
    """Hand ``work`` up to ``up_to`` due messages with their lease's token; returns the ids that it brought on.

    A message that cost a worker before comes in a lot of its own, and then the next lot is claimed.
    """
    done: set[int] = set()
    left = up_to
    for _ in range(LOTS_A_PERMIT):
        token = new_token()
        with pipeline.store.writing() as session:
            if is_plant_paused(session, plant):
                break
            claimed = claim_messages(session, plant, step, left, token, pipeline.clock(), pipeline.lease_seconds)
        unsaved = _work_in_parts(pipeline, step, claimed, token, work, done)
        if unsaved:
            give_back(pipeline, plant, [message.id for message in unsaved], token)
            break
        left -= len(claimed)
        if left <= 0 or not were_lost(claimed):
            break
    if done:
        log.info("messages_moved", plant=plant, done=step.value, message_ids=sorted(done))
    return sorted(done)


def _work_in_parts(
    pipeline: Pipeline, step: Step, claimed: list[Claimed], token: str, work: Work, done: set[int]
) -> list[Claimed]:
    """Where the whole cannot be saved its halves are, down to the message that is at fault, which is dead then. Returns
    what is left because the database can save nothing."""
    parts = [claimed] if claimed else []
    while parts:
        part = parts.pop()
        outcome = _attempt(part, lambda part=part: work(part, token))  # type: ignore[misc]
        if isinstance(outcome, Done):
            done |= outcome.value
            continue
        cause = outcome.error.__cause__
        if len(part) > 1 and not is_database_trouble(cause):
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
        elif cannot_save_anything(pipeline.store, cause, pipeline.clock()) or not _bury(
            pipeline, step, part[0], outcome, token
        ):
            return [message for unsaved in (*parts, part) for message in unsaved]
    return []


def _attempt(part: Sequence[Claimed], work: Callable[[], set[int]]) -> Done[set[int]] | Failed:
    return attempt(part[0].id, work) if len(part) == 1 else attempt_together(work)


def _bury(pipeline: Pipeline, step: Step, message: Claimed, failed: Failed, token: str) -> bool:
    """Let the message alone go the way of its fault; False where not even that can be saved."""
    move = failure_move(pipeline, message, step, failed.error, RetryPolicy())

    def write() -> None:
        with pipeline.store.writing() as session:
            move_messages(session, [move], pipeline.clock(), lease_token=token)

    return isinstance(attempt(message.id, write), Done)


def give_back(pipeline: Pipeline, plant: str, ids: Sequence[int], token: str) -> None:
    """The database could not take what became of these: they are due again soon, and it is not counted against them."""
    log.error("database_in_trouble", plant=plant, message_ids=sorted(ids))
    with pipeline.store.writing() as session:
        due_at = pipeline.clock() + timedelta(seconds=TROUBLE_SECONDS)
        give_back_messages(session, ids, token, due_at)
