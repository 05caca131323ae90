"""The senders of a run: several at a time, each repeating a request until it is told that it was taken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from app.bench.feed import BATCH, Sending
from app.bench.reports import FILES_SOURCE
from app.bench.told import Told
from app.intake.placing import place_file

SENDERS = 4
ANSWER_SECONDS = 6.0
PAUSE_SECONDS = 0.2
POLL_SECONDS = 0.02
TAKEN = ("accepted", "repeat")


@dataclass
class Senders:
    """They send as far as they are let: ``let_through`` opens the feed up to a place, ``wait`` waits until that is
    taken."""

    feed: Sequence[Sending]
    base_url: str
    key: str
    drop_dir: Path
    told: Told = field(default_factory=Told)
    taken: int = 0
    _open: int = 0
    _next: int = 0
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def running(self) -> Iterator[Senders]:
        threads = [threading.Thread(target=self._work, name=f"sender-{n}", daemon=True) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            for thread in threads:
                thread.join(ANSWER_SECONDS + 1)

    def let_through(self, place: int) -> None:
        with self._changed:
            self._open = min(place, len(self.feed))
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether all that was let through has been taken within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.taken >= self._open, seconds)

    def _work(self) -> None:
        with urllib3.PoolManager(retries=False, timeout=ANSWER_SECONDS) as pool:
            while (sending := self._take()) is not None:
                self.told.sent(sending.reports)
                if sending.file_name:
                    place_file(self.drop_dir / FILES_SOURCE / "in", sending.file_name, sending.body)
                else:
                    self._send_until_taken(pool, sending)
                with self._changed:
                    self.taken += 1
                    self._changed.notify_all()

    def _take(self) -> Sending | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._next < self._open)
            if self._ended:
                return None
            self._next += 1
            return self.feed[self._next - 1]

    def _send_until_taken(self, pool: urllib3.PoolManager, sending: Sending) -> None:
        while not self._ended and not self._send(pool, sending):
            time.sleep(PAUSE_SECONDS)

    def _send(self, pool: urllib3.PoolManager, sending: Sending) -> bool:
        """Whether there is nothing more to send: all was taken, or refused in words that another try would repeat."""
        headers = {"Content-Type": sending.content_type, "Authorization": f"Bearer {self.key}"}
        try:
            answer = pool.request("POST", f"{self.base_url}/v1/messages", body=sending.body, headers=headers)
            told = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return False
        if answer.status >= 500 or answer.status == 429:
            return False
        if sending.content_type == BATCH and answer.status in (202, 207):
            self._note_batch(sending, told["results"])
        elif answer.status in (200, 202):
            self.told.accepted(sending.reports)
        else:
            for report in sending.reports:
                self.told.refuse(report, f"{answer.status} {told.get('detail', '')}")
        return True

    def _note_batch(self, sending: Sending, results: Sequence[dict[str, Any]]) -> None:
        for report, result in zip(sending.reports, results, strict=True):
            if result["status"] in TAKEN:
                self.told.accepted([report])
            else:
                self.told.refuse(report, str(result.get("problem", result)))


def archived(drop_dir: Path) -> set[str]:
    """The names of the files in the archive: every row of them is Lineside's, but for those that are listed beside."""
    folder = drop_dir / FILES_SOURCE / "archive"
    return {path.name for path in folder.glob("*.txt") if not path.name.endswith(".note.txt")}
