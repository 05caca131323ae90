"""A clock that is turned by hand, and a target that keeps books and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.adapters.base import Document, PostingRequest, TargetAnswer
from app.dispatch import Dispatcher
from app.errors import LinesideError
from mappings.context import Event, OutboundContext


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class NoBroker(Dispatcher):
    """A way to a broker that is away."""

    def __init__(self) -> None:
        """Nothing to connect to."""

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        raise ConnectionRefusedError("no broker")


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs, and nobody catches it."""


class Books:
    """A target with books. ``effects`` lists every document that took effect, in order: a doubled one stands twice.

    ``before`` and ``after`` hold what the next posts raise, before or after their effect; ``None`` lets one pass.
    ``before_reversal`` and ``after_reversal`` hold the same for reversals.
    """

    def __init__(self) -> None:
        self.effects: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.before: list[BaseException | None] = []
        self.after: list[BaseException | None] = []
        self.before_reversal: list[BaseException | None] = []
        self.after_reversal: list[BaseException | None] = []
        self.find_raises: LinesideError | None = None
        self._lock = threading.Lock()

    def post(self, request: PostingRequest) -> TargetAnswer:
        with self._lock:
            _raise_next(self.before)
            self.effects.append((request.posting_key, request.document))
            _raise_next(self.after)
            return TargetAnswer(f"doc-{len(self.effects)}")

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        with self._lock:
            self.asked.append(request.posting_key)
            if self.find_raises is not None:
                raise self.find_raises
            for number, (key, _) in enumerate(self.effects, start=1):
                if key == request.posting_key:
                    return TargetAnswer(f"doc-{number}")
            return None

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        with self._lock:
            _raise_next(self.before_reversal)
            self.effects.append((request.posting_key, {"reverses": reference}))
            _raise_next(self.after_reversal)
            return TargetAnswer(f"doc-{len(self.effects)}")

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        return iter(())

    def check(self) -> None:
        return None

    @property
    def documents(self) -> list[Any]:
        return [document for _, document in self.effects]


class Planner(Books):
    """A target with orders to be made, read in the order of their numbers.

    ``reading`` holds what the next readings raise before they give anything; ``meanwhile`` is called after each row.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.orders: dict[str, dict[str, Any]] = {}
        self.since: list[datetime | None] = []
        self.reading: list[BaseException | None] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._clock = clock

    def plan(self, number: str, pieces: str = "10", **fields: Any) -> None:
        """Enter the order, or change it."""
        row = {"plant": "P100", "order_id": number, "item": "BIKE-100", "quantity": {"value": pieces, "uom": "EA"}}
        self.orders[number] = {**row, "changed_at": self._clock().isoformat(), **fields}

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        self.since.append(since)
        _raise_next(self.reading)
        for _, row in sorted(self.orders.items()):
            if since is None or datetime.fromisoformat(row["changed_at"]) >= since:
                yield dict(row)
                self.meanwhile()


def _raise_next(script: list[BaseException | None]) -> None:
    error = script.pop(0) if script else None
    if error is not None:
        raise error


def echo(event: Event, context: OutboundContext) -> dict[str, Any]:
    """An outbound mapping that posts the event as it is."""
    return {"type": event.type, "data": dict(event.data)}
