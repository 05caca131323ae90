"""Connections to PostgreSQL, each with bounds for an answer that does not come."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event

# Longer than statement_timeout below: by then PostgreSQL has answered, if only to say that it took too long.
ANSWER_SECONDS = 35.0


def postgres_engine(url: str, pool_size: int) -> Engine:
    """Its errors name no parameters."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        pool_timeout=15,
        connect_args={
            "connect_timeout": 5,
            "application_name": "lineside",
            "options": "-c statement_timeout=30000 -c lock_timeout=20000 -c idle_in_transaction_session_timeout=120000",
            # A network that is gone is noticed after 25 s, with something on its way after 20 s.
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    )
    event.listen(engine, "do_connect", connect_answering)
    return engine


class _Answering(psycopg.Connection[Any]):
    """A connection that is closed when its server owes an answer for longer than any statement may take: a proxy may
    swallow everything and still keep the connection alive."""

    answers_in_time = True

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None or not self.answers_in_time:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, ANSWER_SECONDS)
        except psycopg.OperationalError:
            if time.monotonic() - began >= ANSWER_SECONDS:
                self.pgconn.finish()
            raise


def connect_answering(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    return _Answering.connect(*arguments, **options)
