"""An ERP that is required, and planning and a report that are not: what the tests of what trails work with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.pipeline.context import Pipeline
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message


class Line:
    """The messages of a plant with one lane, for an ERP and for two targets that are not required."""

    def __init__(self, store: Store, **topology: Any) -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.planning, self.report = Books(), Books(), Books()
        books = {"planning": self.planning, "erp": self.erp, "report": self.report}
        line = pipeline(store, books, self.clock, optional=("planning", "report"), **topology)
        plants = {code: replace(plant, lanes=1) for code, plant in line.topology.plants.items()}
        self.line: Pipeline = replace(line, topology=replace(line.topology, plants=plants))
        know_items(store)

    def accept(self, *numbers: int, lot: str = "A") -> list[int]:
        """Messages of one key, in the order of their numbers."""
        return accept(
            self.store,
            *(move_event(f"{lot}{number}", lot=lot, at=f"2026-03-02T09:{number:02}:00Z") for number in numbers),
        )

    def work(self, times: int = 1, seconds: float = 120) -> None:
        """So many rounds of a worker; one that is killed leaves the rest to the next."""
        for _ in range(times):
            with suppress(Killed):
                run_once(self.line)
            self.clock.pass_time(seconds)

    def step(self, key: int) -> tuple[str, str | None]:
        """State and step of a message."""
        found = message(self.store, key)
        return found.state, found.step

    def posting(self, key: int, target: str = "planning") -> Posting:
        query = select(Posting).where(Posting.message_id == key, Posting.target == target)
        with self.store.reading() as session:
            return session.execute(query.where(Posting.reverses_id.is_(None))).scalar_one()


def minutes(books: Books) -> list[int]:
    """Which messages the target holds, in the order in which it got them."""
    return [int(document["data"]["event_time"][14:16]) for document in books.documents if "data" in document]
