"""Connections to the broker that wait for nothing without bound, and are looked for again soon when they are lost.

By themselves, kombu's connections to RabbitMQ wait for an answer for ever: a proxy or firewall that swallows one
without a word would hold whoever publishes, confirms or declares over it.
"""

from __future__ import annotations

from typing import Any

import kombu
from amqp.exceptions import RecoverableConnectionError
from celery.app.amqp import AMQP
from kombu.transport import pyamqp

# A call to the broker is answered within this time, or the connection is given up.
ANSWER_SECONDS = 10
# While nothing comes over a connection, its life is asked for this often; after two such times without it is given up.
HEARTBEAT_SECONDS = 10
# Tries to connect anew follow each other by these seconds.
RECONNECT = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 3.0}


class _AnsweringConnection(pyamqp.Connection):
    """Given up when an answer is overdue. Left as it is, it would be taken from the pool again and again."""

    def blocking_read(self, timeout: float | None = None) -> Any:
        try:
            return super().blocking_read(timeout)
        except TimeoutError:
            if timeout is not None:
                raise  # whoever names a time asks whether something has come, and that is no fault
            self.collect()
            raise RecoverableConnectionError(f"the broker has not answered for {ANSWER_SECONDS} s") from None


class _Transport(pyamqp.Transport):
    Connection = _AnsweringConnection


class _SSLTransport(pyamqp.SSLTransport):
    Connection = _AnsweringConnection


class _Connection(kombu.Connection):
    def get_transport_cls(self) -> Any:
        found: Any = super().get_transport_cls()
        return {pyamqp.Transport: _Transport, pyamqp.SSLTransport: _SSLTransport}.get(found, found)

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        return super().ensure_connection(*args, **(RECONNECT | options))


class Amqp(AMQP):
    """For ``Celery(amqp=...)``: makes every connection of the application one of ours."""

    Connection = _Connection


def transport_options(broker_url: str) -> dict[str, Any]:
    """What the client of this broker takes to bound its waits."""
    if broker_url.startswith("amqp"):
        return {"confirm_publish": True, "read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
    return {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": HEARTBEAT_SECONDS,
    }
