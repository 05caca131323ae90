"""The right to work in a source's drop folder, held by one watcher at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.store.leases import take_lease
from config.topology import Source

# A watcher that ended leaves its folders to the next one after this time.
LEASE_SECONDS = 60.0


class FolderLost(Exception):
    """Another watcher works in this folder now; this one leaves everything to it."""


def hold_folder(session: Session, source: Source, token: str, now: datetime) -> None:
    """Hold the folder from now on, or raise FolderLost; in the transaction that stores a file's rows it is the proof
    that nobody else stored them."""
    if not take_lease(session, f"drop:{source.code}", token, now, LEASE_SECONDS):
        raise FolderLost(source.code)
