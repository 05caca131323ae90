"""The clock that wakes the relay."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.beat import Scheduler, SchedulingError
from celery.schedules import schedule
from kombu.exceptions import OperationalError

from app.dispatch import celery_app
from config.settings import load_settings
from tasks.clock import RelayClock

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


def test_what_failed_to_send_is_not_kept_to_send_by() -> None:
    beat = RelayClock(celery_app(load_settings({}), ["P100"]), lazy=True)
    beat.__dict__["producer"] = Broken()
    beat.__dict__["connection"] = beat.app.connection_for_write()

    with pytest.raises(SchedulingError):
        beat.apply_async(beat.Entry(name="relay", task="lineside.relay", schedule=schedule(1.0)))

    assert not {"producer", "connection"} & beat.__dict__.keys()


class Broken:
    """A producer whose channel is gone."""

    def __enter__(self) -> Broken:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> object:
        raise OperationalError("the channel is gone")
