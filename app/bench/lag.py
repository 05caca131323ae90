"""How far the picture is behind while messages take effect at a steady rate."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from app.bench.day_made import Plants
from app.bench.plant_day import Day
from app.clock import utc_now
from app.projections.projector import project
from app.store.ledger_tables import Effect
from app.store.session import Store

TOLD_TOGETHER = 5
"""Messages whose effects are committed together: a wave of a lane under such a load."""
ROUND_SECONDS = 2.0
PAUSE_SECONDS = 1.0
"""A worker is lent to the projections for that long at a time, and asked for again by the relay's beat."""
SAMPLE_SECONDS = 0.05
SAMPLES_LEAST = 20


@dataclass(frozen=True)
class Lag:
    """Seconds by which the oldest effect that was not entered was old, over all samples."""

    p50: float
    p95: float


def measure_lag(plants: Plants, day: int, orders: int, per_second: int, seconds: float) -> Lag:
    """Messages that were posted before take effect, ``per_second`` of them, while the projector works as it does in an
    installation; and once a twentieth of a second somebody looks how old the oldest is."""
    most = min(int(per_second * seconds), len(list(Day(day, orders).messages())))
    plants.post_day(day, orders, lambda share: None, most)
    held = _hold_back(plants.store)
    samples: list[float] = []
    telling = threading.Thread(target=_tell, args=(plants.store, held, per_second), daemon=True)
    ended = threading.Event()
    looking = threading.Thread(target=_look, args=(plants.store, ended, samples), daemon=True)
    telling.start()
    looking.start()
    while telling.is_alive():
        project(plants.store, utc_now, ROUND_SECONDS, plants.yardstick)
        telling.join(PAUSE_SECONDS)
    plants.enter()
    ended.set()
    looking.join()
    while len(samples) < SAMPLES_LEAST:
        samples.append(0.0)
    cuts = statistics.quantiles(samples, n=20)
    return Lag(cuts[9], cuts[-1])


def _hold_back(store: Store) -> list[int]:
    """Take the effects of what was posted just now away; returns the messages."""
    with store.writing() as session:
        held = list(session.scalars(select(Effect.message_id).where(Effect.fault.is_(None)).order_by(Effect.id)))
        session.execute(Effect.__table__.delete())  # type: ignore[attr-defined]
    return held


def _tell(store: Store, held: Sequence[int], per_second: int) -> None:
    began = time.monotonic()
    for start in range(0, len(held), TOLD_TOGETHER):
        due = began + start / per_second
        time.sleep(max(0.0, due - time.monotonic()))
        with store.writing() as session:
            now = utc_now()
            rows = [{"message_id": key, "undo": False, "at": now} for key in held[start : start + TOLD_TOGETHER]]
            session.connection().execute(insert(Effect), rows)


def _look(store: Store, ended: threading.Event, samples: list[float]) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        with store.reading() as session:
            oldest: datetime | None = session.execute(select(func.min(Effect.at))).scalar_one()
        samples.append(0.0 if oldest is None else max(0.0, (utc_now() - oldest).total_seconds()))
