"""One line an event: a fixed name, fields, and the plant, step and message that are bound at the time.

Payloads and secrets never reach a log: fields that would carry them are left out, and whatever looks like a secret
is masked wherever it stands, in our own lines and in those of the libraries alike.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from functools import partial
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from config.settings import Settings

MASK = "***"
NEVER_LOGGED = frozenset({"payload", "body", "document", "password", "secret", "api_key", "authorization"})

# Shorter values would mask ordinary words; nobody should use such a secret, and `lineside check` is not the place.
SHORTEST_SECRET = 6

_URL_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]+(@)")
_SOURCE_KEY = re.compile(r"\bl[sp]_[A-Za-z0-9_-]{43}\b|\bwhsec_[A-Za-z0-9+/]{16,}=*")
_BEARER = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+")

# Each says at INFO what is in our own lines already, or says it for every request or task.
QUIET_LOGGERS = ("urllib3", "kombu", "amqp", "alembic", "celery.app.trace", "celery.worker.strategy", "celery.beat")


class SecretMask:
    """Replaces secrets in text: known values, passwords within URLs, source keys and bearer tokens."""

    def __init__(self, values: Iterable[str]) -> None:
        long_enough = sorted({v for v in values if len(v) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, long_enough))) if long_enough else None

    def text(self, value: str) -> str:
        masked = _URL_PASSWORD.sub(rf"\1{MASK}\2", value)
        masked = _SOURCE_KEY.sub(MASK, masked)
        masked = _BEARER.sub(rf"\1{MASK}", masked)
        return self._known.sub(MASK, masked) if self._known else masked

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(inner) for inner in value]
        return value

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key in list(event):
            event[key] = "[not logged]" if key in NEVER_LOGGED else self.value(event[key])
        return event


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process, whichever library wrote it, to one stream in one form.

    On a terminal the lines are for people, anywhere else they are JSON. Safe to call again.
    """
    out = stream if stream is not None else sys.stderr
    mask = SecretMask([*settings.secrets.values(), settings.secret_key])
    shared = _shared_processors()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(mask, for_people=out.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    _quieten_libraries()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
    ]


def _renderers(mask: SecretMask, for_people: bool) -> list[Processor]:
    if for_people:
        return [structlog.processors.format_exc_info, mask, structlog.dev.ConsoleRenderer(pad_event_to=30)]
    return [
        structlog.processors.format_exc_info,
        mask,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=partial(_as_text, mask)),
    ]


def _as_text(mask: SecretMask, value: Any) -> str:
    return mask.text(str(value))


def _quieten_libraries() -> None:
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Warns of each queue at each start that tasks with an ETA would block; Lineside has none.
    logging.getLogger("kombu.transport.native_delayed_delivery").setLevel(logging.ERROR)
