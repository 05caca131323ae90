"""Fetch master data from the system that is right about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import structlog
from sqlalchemy.orm import Session

from app.adapters.base import Document
from app.errors import WISH_MOST_SECONDS, LinesideError, wished_seconds
from app.inbox.claim import new_token
from app.inbox.wakes import wake_arrived
from app.pipeline.context import Pipeline
from app.projections.items import item_reference, save_items
from app.projections.told_states import Telling, lock_standing, stand
from app.store.leases import take_lease

log = structlog.get_logger()

ITEMS_LEASE = "sync-items"
SYNC_EVERY_SECONDS = 300.0
RETRY_SECONDS = 5.0
# A run stops here; a catalogue beyond it needs the item changes as messages.
ITEMS_LIMIT = 1_000_000
CHUNK = 500


def sync_items(pipeline: Pipeline) -> int:
    """Read all items from their system of record, unless that was done lately; returns how many were read.

    Messages that wait for an item that is new here are woken.
    """
    record = pipeline.topology.systems_of_record.get("items")
    if record is None or record.system not in pipeline.topology.targets:
        return 0
    token = new_token()
    with pipeline.store.writing() as session:
        if not take_lease(session, ITEMS_LEASE, token, pipeline.clock(), SYNC_EVERY_SECONDS, WISH_MOST_SECONDS):
            return 0
    read, began = 0, pipeline.clock()
    try:
        items = islice(pipeline.adapter_for(record.system).read("items"), ITEMS_LIMIT)
        while chunk := list(islice(items, CHUNK)):
            with pipeline.store.writing() as session:
                new = _take_in(session, chunk, record.system, began, pipeline.clock())
                wake_arrived(session, [item_reference(code) for code in new], pipeline.clock())
            read += len(chunk)
    except LinesideError as error:
        log.warning("items_not_read", system=record.system, error=str(error))
        with pipeline.store.writing() as session:
            take_lease(session, ITEMS_LEASE, token, pipeline.clock(), max(RETRY_SECONDS, wished_seconds(error)))
        return read
    log.info("items_read", system=record.system, items=read)
    return read


def _take_in(session: Session, items: Sequence[Document], system: str, began: datetime, now: datetime) -> list[str]:
    """Store what was read, unless a message has told of a later time than the reading's; returns the new codes."""
    told = {item_reference(item["code"]): item for item in items}
    stands = lock_standing(session, told)
    readings = [Telling(thing, system, began) for thing in told]
    new = [one for one in readings if one.thing not in stands or one.is_newer_than(stands[one.thing])]
    stand(session, new)
    return save_items(session, [told[one.thing] for one in new], system, now)
