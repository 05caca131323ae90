"""Claim what is due for a step lot by lot, each under a lease of its own."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from app.inbox.claim import LOTS_A_PERMIT, Claimed, claim_messages, new_token, were_lost
from app.inbox.states import Step
from app.pipeline.context import Pipeline
from app.pipeline.given_back import given_back

log = structlog.get_logger()


def work_lots(
    pipeline: Pipeline, plant: str, step: Step, up_to: int, work: Callable[[list[Claimed], str], set[int]]
) -> list[int]:
    """Hand ``work`` up to ``up_to`` due messages with their lease's token; returns the ids that it brought on.

    A message that cost a worker before comes in a lot of its own, and then the next lot is claimed.
    """
    done: set[int] = set()
    left = up_to
    for _ in range(LOTS_A_PERMIT):
        token = new_token()
        with pipeline.store.writing() as session:
            claimed = claim_messages(session, plant, step, left, token, pipeline.clock(), pipeline.lease_seconds)
        if claimed:
            with given_back(pipeline, [message.id for message in claimed], token):
                done |= work(claimed, token)
        left -= len(claimed)
        if left <= 0 or not were_lost(claimed):
            break
    if done:
        log.info("messages_moved", plant=plant, done=step.value, message_ids=sorted(done))
    return sorted(done)
