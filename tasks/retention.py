"""Retention: what ended long ago is exported and deleted, a little at a time."""

from __future__ import annotations

import structlog

from app.retention.rounds import retain
from app.retention.setting import retention_of
from config.queues import RETAIN
from tasks.base import app, workplace

log = structlog.get_logger()

# So that a thread of the worker is never lent for long.
SECONDS = 5.0


@app.task(name=RETAIN)
def retain_messages() -> None:
    here = workplace()
    retention = retention_of(here.topology, here.settings)
    done = retain(here.store, retention, list(here.topology.plants), here.pipeline.clock, SECONDS)
    if done.files:
        log.info("messages_archived", files=done.files, exported=done.exported, deleted=done.deleted)
