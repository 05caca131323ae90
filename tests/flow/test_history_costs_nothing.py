"""A message costs the same however many were before it: counted in the steps of SQLite's own machine, which are the
same on any computer however busy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import pytest
from sqlalchemy import event

from app.pipeline.context import Pipeline
from app.pipeline.post import post_due
from app.pipeline.straight_on import transform_straight_on
from app.projections.projector import project
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline
from tests.fakes import Books

pytestmark = pytest.mark.slow

FEW, MANY, EACH = 100, 1_500, 20
FLAT = 1.3


class Steps:
    """Steps of all connections of the store."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        event.listen(store.engine, "checkout", lambda connection, *_: connection.set_progress_handler(self._one, 10))

    def _one(self) -> int:
        self.count += 10
        return 0


def test_what_is_done_with_a_message_reads_no_more_the_more_are_stored(
    sqlite_store: Store,
) -> None:
    """Each is of a lot of its own, all of one item, as where a plant makes the same thing for years."""
    know_items(sqlite_store)
    line, numbers, steps = pipeline(sqlite_store, {"erp": Books()}), count(1), Steps(sqlite_store)

    def through(messages: int) -> Mapping[str, int]:
        new = [next(numbers) for _ in range(messages)]
        return {
            "accept": spent(lambda: accept(sqlite_store, *(move_event(f"m{n}", f"L{n}") for n in new))),
            "transform": spent(lambda: transform_straight_on(line, "P100", messages)),
            "post": spent(lambda: posted(line, messages)),
            "project": spent(lambda: project(sqlite_store, lambda: NOON, 60.0)),
        }

    def spent(work: Callable[[], object]) -> int:
        before = steps.count
        work()
        return steps.count - before

    def posted(line: Pipeline, messages: int) -> None:
        done = 0
        while done < messages:
            done += len(post_due(line, "P100", messages))

    through(FEW)
    few = through(EACH)
    through(MANY - FEW)
    many = through(EACH)

    assert min(few.values()) > 0
    assert {name: steps for name, steps in many.items() if steps > FLAT * few[name]} == {}, (few, many)
