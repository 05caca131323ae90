"""Celery's beat, which comes back by itself when the broker does."""

from __future__ import annotations

from typing import Any

from celery.beat import Scheduler, SchedulingError
from celery.utils.log import get_logger

log = get_logger(__name__)

RECONNECT_SECONDS = 1
RECONNECT_CAP_SECONDS = 3


class RelayClock(Scheduler):
    """Keeps its schedule in memory, and no connection that failed.

    Celery's own scheduler makes one producer for its whole life. Where RabbitMQ closes the connection, every later tick
    fails of the channel that is gone, and the process lives on in silence (Celery 5.7, ``celery/beat.py``).
    """

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        try:
            return super().apply_async(entry, producer=producer, advance=advance, **options)
        except SchedulingError:
            self._forget_connection()
            raise

    def _forget_connection(self) -> None:
        self.__dict__.pop("producer", None)
        connection = self.__dict__.pop("connection", None)
        if connection is not None:
            connection.collect()

    def _ensure_connected(self) -> Any:
        """Until the broker answers; the pause between two attempts stays short, however long that takes."""
        return self.connection.ensure_connection(
            lambda error, seconds: log.warning("Broker unreachable (%s), tried again in %s s", error, seconds),
            interval_start=RECONNECT_SECONDS,
            interval_step=RECONNECT_SECONDS,
            interval_max=RECONNECT_CAP_SECONDS,
        )
