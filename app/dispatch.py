"""The only place that puts work on a queue. Tasks are named, never imported, so the web process carries no worker code.

What is sent is a permit: "somebody look at this plant". The work itself is in the database, so a permit that is lost,
doubled or late costs nothing but a little time, and no caller ever waits for the broker.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import structlog
from amqp.exceptions import AMQPError
from celery import Celery
from celery.canvas import Signature
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.broker import Amqp
from config.queues import (
    ENRICH,
    POST,
    TRANSFORM,
    celery_settings,
    dead_queue,
    declared_queue,
    plant_queues,
    post_queue,
    work_queue,
)
from config.settings import Settings

log = structlog.get_logger()

# Nudges that come within this time of each other travel as one permit.
NUDGE_PAUSE_SECONDS = 0.005
BROKER_PAUSE_SECONDS = 1.0
# Who nudged a plant so lately asks whether a permit of it still lies there: that one takes along what has come since.
# So where messages come faster than they are worked off, the batches grow instead of the queue.
BUSY_SECONDS = 0.1

# So many messages a permit works on at least, whatever it was sent for.
TAKEN_ALONG = 100

# What a broker that is away, or does not let us in, raises: kombu passes the clients' own errors on where it does not
# publish.
BROKER_ERRORS = (OperationalError, AMQPError, RedisError, OSError)


def celery_app(settings: Settings, plants: Iterable[str], name: str = "lineside") -> Celery[Any]:
    """A Celery application with Lineside's settings and no tasks."""
    app = Celery(name, set_as_current=False, amqp=Amqp)
    app.conf.update(celery_settings(settings, plants))
    return app


class Dispatcher:
    """Sends permits. One instance a process; safe to call from many threads."""

    def __init__(self, settings: Settings, plants: Sequence[str], celery: Celery[Any] | None = None) -> None:
        self._batch_size = settings.batch_size
        self._broker_url = settings.broker_url
        self._celery = celery or celery_app(settings, plants)
        self._pending: Counter[str] = Counter()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._nudged_at: dict[str, float] = {}
        self._depths_lock = threading.Lock()
        self._asked_over: Any = None

    def nudge(self, plant: str, count: int) -> None:
        """Ask soon for ``count`` messages of the plant to be worked on. Never blocks and never fails: where the broker
        cannot be reached, the relay asks again."""
        with self._wake:
            self._pending[plant] += count
            if self._thread is None or not self._thread.is_alive():
                self._closed = False
                self._thread = threading.Thread(target=self._send_nudges, name="nudge", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Send what is pending, then stop the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
        with self._depths_lock:
            kept, self._asked_over = self._asked_over, None
            if kept is not None:
                kept.release()

    def _send_nudges(self) -> None:
        while True:
            with self._wake:
                while not self._pending and not self._closed:
                    self._wake.wait()
                if not self._pending:
                    return
                pending, self._pending = self._pending, Counter()
            sent = True
            for plant, count in pending.items():
                if not self._is_on_its_way(plant, count):
                    sent = self.send_permits(plant, "transform", count) and sent
            time.sleep(NUDGE_PAUSE_SECONDS if sent else BROKER_PAUSE_SECONDS)

    def _is_on_its_way(self, plant: str, count: int) -> bool:
        """Whether so many more messages need no permit of their own."""
        last, now = self._nudged_at.get(plant, -BUSY_SECONDS), time.monotonic()
        self._nudged_at[plant] = now
        if now - last >= BUSY_SECONDS or count > TAKEN_ALONG:
            return False
        try:
            return self.depths([work_queue(plant)])[work_queue(plant)] > 0
        except BROKER_ERRORS:
            return False

    def send_permits(self, plant: str, step: Literal["transform", "enrich", "post"], count: int) -> bool:
        """As many permits as ``count`` messages need, beginning at this step; False when the broker took none."""
        try:
            for start in range(0, count, self._batch_size):
                self._send(self._links(plant, step, min(self._batch_size, count - start)))
        except BROKER_ERRORS as error:
            log.warning("permit_not_sent", plant=plant, step=step, error=type(error).__name__)
            return False
        return True

    def _links(self, plant: str, step: str, up_to: int) -> list[Signature[Any]]:
        links = {
            "transform": (TRANSFORM, work_queue(plant)),
            "enrich": (ENRICH, work_queue(plant)),
            "post": (POST, post_queue(plant)),
        }
        order = list(links)
        return [self._link(*links[name], plant, up_to) for name in order[order.index(step) :]]

    def _link(self, name: str, queue: str, plant: str, up_to: int) -> Signature[Any]:
        # Immutable: what a link hands on is never needed, because each claims for itself.
        return self._celery.signature(
            name, kwargs={"plant": plant, "up_to": up_to}, immutable=True, queue=queue, routing_key=queue
        )

    @staticmethod
    def _send(links: list[Signature[Any]]) -> None:
        """As ``chain(*links)`` sends it: the first with the others behind it, the next one last. ``chain`` itself
        copies every link, for what chords and groups need, and takes a third longer."""
        first, *others = links
        options: Any = {"chain": [dict(link) for link in reversed(others)]}
        first.apply_async(**options)

    def declare_queues(self, plants: Iterable[str]) -> None:
        """Make every queue exist before the first worker that consumes only some of them starts."""
        with self._celery.connection_for_write() as connection, connection.channel() as channel:
            for plant in plants:
                for name in plant_queues(plant):
                    declared_queue(name, self._broker_url)(channel).declare()

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        """How many messages each queue holds in the broker; raises one of BROKER_ERRORS when it cannot be asked."""
        with self._depths_lock:
            kept, self._asked_over = self._asked_over, None
            if kept is not None:
                try:
                    found = self._ask_depths(kept, queues)
                except BROKER_ERRORS:
                    kept.collect()  # cut since the last time: asked anew over another
                else:
                    self._asked_over = kept
                    return found
            with ExitStack() as ending:
                connection = self._celery.connection_for_read()
                ending.callback(connection.collect)
                found = self._ask_depths(connection, queues)
                ending.pop_all()
            self._asked_over = connection
            return found

    def _ask_depths(self, connection: Any, queues: Sequence[str]) -> dict[str, int]:
        """Over the connection's own channel: each connection and each channel costs more than all the questions."""
        found: dict[str, int] = {}
        for name in queues:
            declared: Any = declared_queue(name, self._broker_url)(connection.default_channel).queue_declare()
            found[name] = int(declared.message_count)
        return found

    def mirror_dead(self, plant: str, bodies: Sequence[dict[str, Any]], replace: bool) -> None:
        """Put one small message for each dead letter on the plant's dead queue; with ``replace`` empty it first."""
        name = dead_queue(plant)
        with self._celery.connection_for_write() as connection, connection.channel() as channel:
            queue = declared_queue(name, self._broker_url)(channel)
            queue.declare()
            if replace:
                queue.purge()
            producer = connection.Producer(channel)
            for body in bodies:
                producer.publish(body, exchange=queue.exchange, routing_key=name, serializer="json", retry=False)
