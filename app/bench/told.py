"""What the senders of a run were told, message by message, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.bench.reports import Report

Name = tuple[str, str]


@dataclass
class Told:
    """Instants are of one clock that never steps back. ``refused`` holds answers that no sender should have had."""

    first_sent_at: dict[Name, float] = field(default_factory=dict)
    accepted_at: dict[Name, float] = field(default_factory=dict)
    refused: dict[Name, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, reports: Iterable[Report]) -> None:
        with self._lock:
            for report in reports:
                self.first_sent_at.setdefault(report.name, time.monotonic())

    def accepted(self, reports: Iterable[Report]) -> None:
        with self._lock:
            for report in reports:
                self.accepted_at.setdefault(report.name, time.monotonic())

    def refuse(self, report: Report, answer: str) -> None:
        with self._lock:
            self.refused.setdefault(report.name, answer)

    def came_before(self, first: Report, second: Report) -> bool:
        """Whether the first was Lineside's before the second was sent at all. Only then is their order promised; rows
        of one file are taken in their order."""
        accepted, sent = self.accepted_at.get(first.name), self.first_sent_at.get(second.name)
        return accepted is not None and sent is not None and accepted < sent
