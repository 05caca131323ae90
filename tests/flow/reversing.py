"""One message for three targets, some of which refuse: what the tests of reversals work with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.dead_letters.repair import requeue
from app.dead_letters.reversal import reverse
from app.errors import Refused
from app.pipeline.context import Pipeline
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message, states

BLOCKED = Refused("lot_blocked", "The lot is blocked.")


class Plant:
    """One message for an ERP, a WMS and a planning platform, which may refuse; and the workers that post it."""

    def __init__(self, store: Store, message_id: str = "m1", **topology: Any) -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.wms, self.planning = Books(), Books(), Books()
        self.books = {"erp": self.erp, "wms": self.wms, "planning": self.planning}
        self.line: Pipeline = pipeline(store, self.books, self.clock, **topology)
        know_items(store)
        (self.id,) = accept(store, move_event(message_id, lot=message_id))

    def by_person(self) -> Plant:
        routes = tuple(replace(route, compensate="by_person") for route in self.line.topology.routes)
        self.line = replace(self.line, topology=replace(self.line.topology, routes=routes))
        return self

    def without_routes(self) -> Pipeline:
        return replace(self.line, topology=replace(self.line.topology, routes=()))

    def work(self, times: int = 3) -> None:
        """So many rounds of the workers, two minutes apart; one that is killed leaves the rest to the next."""
        for _ in range(times):
            with suppress(Killed):
                run_once(self.line)
            self.clock.pass_time(120)

    def order(self, reason: str = "counted wrongly", *, by_hand: bool = False) -> None:
        with self.store.writing() as session:
            reverse(session, self.id, reason, "ada", self.clock(), self.line.topology.lanes_of, by_hand)

    def requeue(self) -> None:
        with self.store.writing() as session:
            requeue(session, [self.id], "ada", self.clock())

    @property
    def state(self) -> str:
        return states(self.store, self.id)[0]

    @property
    def reason(self) -> str:
        found = message(self.store, self.id)
        return f"{found.reason_code}: {found.reason}"

    def counts(self) -> list[int]:
        return [len(books.effects) for books in self.books.values()]

    def net(self) -> list[int]:
        """What each target holds, less what was reversed of it; fails where something was reversed twice."""
        found = []
        for books in self.books.values():
            reversals = [document["reverses"] for document in books.documents if "reverses" in document]
            assert len(reversals) == len(set(reversals))
            found.append(len(books.effects) - 2 * len(reversals))
        return found

    def postings(self, *, reversals: bool) -> list[Posting]:
        chosen = Posting.reverses_id.is_not(None) if reversals else Posting.reverses_id.is_(None)
        query = (
            select(Posting).where(Posting.message_id == self.id, chosen).order_by(Posting.generation, Posting.ordinal)
        )
        with self.store.reading() as session:
            return list(session.scalars(query.order_by(Posting.generation, Posting.ordinal)))

    def killed_at(self, commit: int | None) -> int:
        """Work until all is done, the worker killed before its so-manieth transaction; returns how many there were."""
        self.line = replace(self.line, store=KillingStore(self.store, commit))
        self.work(8)
        assert isinstance(self.line.store, KillingStore)
        return self.line.store.begun


class KillingStore(Store):
    """The same database; whoever begins the transaction with this number is killed instead."""

    def __init__(self, store: Store, killed_at: int | None) -> None:
        self.url, self.engine, self.at, self.begun = store.url, store.engine, killed_at, 0

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self.begun += 1
        if self.begun == self.at:
            raise Killed
        with super().writing() as session:
            yield session
