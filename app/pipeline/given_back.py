"""What was claimed and cannot be reported on, because the database fails, was not lost with a worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.inbox.claim import give_back_messages
from app.pipeline.context import Pipeline

# A database that failed a moment ago is given a moment.
PAUSE_SECONDS = 2.0


@contextmanager
def given_back(pipeline: Pipeline, ids: Sequence[int], token: str) -> Iterator[None]:
    """Where the database fails in the block, these messages are due again soon; it raises all the same.

    Left under their lease they would count as having cost a worker, and a disk that is full for some minutes would
    make dead letters of them. A lane is not given back: the target may still work on a call that was not answered.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout):
        with suppress(DBAPIError, PoolTimeout), pipeline.store.writing() as session:
            give_back_messages(session, ids, token, pipeline.clock() + timedelta(seconds=PAUSE_SECONDS))
        raise
