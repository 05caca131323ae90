"""The clock that wakes the relay."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.beat import Scheduler

from app.dispatch import celery_app
from config.settings import load_settings

pytestmark = pytest.mark.slow


class Counting(Scheduler):
    """Celery's scheduler, which sends nothing and counts."""

    sent = 0

    def apply_entry(self, entry: object, producer: object = None) -> None:
        self.sent += 1

    producer = None  # type: ignore[assignment]


def test_it_goes_on_every_second_though_the_wall_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    beat = Counting(celery_app(load_settings({}), ["P100"]))
    _tick_until(beat, 1)

    monkeypatch.setattr(Celery, "now", lambda _: datetime.now(UTC) - timedelta(hours=1))

    _tick_until(beat, 2)


def _tick_until(beat: Counting, sent: int) -> None:
    end = time.monotonic() + 5
    while beat.sent < sent:
        assert time.monotonic() < end, "beat stands still"
        time.sleep(min(0.05, max(0.0, beat.tick())))
