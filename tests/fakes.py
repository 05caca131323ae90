"""A clock that is turned by hand, and a target that keeps books and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from app.adapters.base import Document, PostingRequest, TargetAnswer
from app.errors import LinesideError
from mappings.context import Event, OutboundContext


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs, and nobody catches it."""


class Books:
    """A target with books. ``effects`` lists every document that took effect, in order: a doubled one stands twice.

    ``before`` and ``after`` hold what the next posts raise, before or after their effect; ``None`` lets one pass.
    """

    def __init__(self) -> None:
        self.effects: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.before: list[BaseException | None] = []
        self.after: list[BaseException | None] = []
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
            self.effects.append((request.posting_key, {"reverses": reference}))
            return TargetAnswer(f"doc-{len(self.effects)}")

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        return iter(())

    def check(self) -> None:
        return None

    @property
    def documents(self) -> list[Any]:
        return [document for _, document in self.effects]


def _raise_next(script: list[BaseException | None]) -> None:
    error = script.pop(0) if script else None
    if error is not None:
        raise error


def echo(event: Event, context: OutboundContext) -> dict[str, Any]:
    """An outbound mapping that posts the event as it is."""
    return {"type": event.type, "data": dict(event.data)}
