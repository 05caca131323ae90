"""Connections to the broker that wait for nothing without bound, and are looked for again soon when they are lost.

By themselves, kombu's connections to RabbitMQ wait for an answer for ever: a proxy or firewall that swallows one
without a word would hold whoever publishes, confirms or declares over it.
"""

from __future__ import annotations

from typing import Any

import kombu
from amqp.exceptions import RecoverableConnectionError
from celery.app.amqp import AMQP
from kombu.transport import TRANSPORT_ALIASES, pyamqp, redis

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


class _KeepingChannel(redis.Channel):
    """Keeps its client. By itself it makes one for everything that it asks, which costs more than to ask it: each has a
    table of its own of all that a server can be asked."""

    _kept: tuple[Any, Any] = (None, None)

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # such a one is bound to its connection
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._kept[0] is not self.pool:
            self._kept = (self.pool, super()._create_client())  # type: ignore[misc]
        return self._kept[1]


class _RedisTransport(redis.Transport):
    Channel = _KeepingChannel


# By name, and not by a class of our own for connections: those of kombu's pools, over which all is published, are of
# one that it names itself (kombu 5.7, ``ConnectionPool.new``).
TRANSPORT_ALIASES.update(
    {
        **dict.fromkeys(("amqp", "pyamqp"), f"{__name__}:_Transport"),
        "amqps": f"{__name__}:_SSLTransport",
        **dict.fromkeys(("redis", "rediss"), f"{__name__}:_RedisTransport"),
    }
)


class _Connection(kombu.Connection):
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
        # What a worker takes off a queue is a permit, which costs nothing where it is lost: to keep a copy until it is
        # acknowledged, and take it back, would be two calls more for each.
        "ack_emulation": False,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": HEARTBEAT_SECONDS,
    }
