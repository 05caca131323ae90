"""The right to work in a source's drop folder, held by one watcher at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.store.leases import take_lease
from config.topology import Source


class FolderLost(Exception):
    """Another watcher works in this folder now; this one leaves everything to it."""


def hold_folder(session: Session, source: Source, token: str, now: datetime, lease_seconds: float) -> None:
    """Hold the folder from now on, or raise FolderLost; in the transaction that stores a file's rows it is the proof
    that nobody else stored them. A watcher that ended leaves its folders to the next one after ``lease_seconds``."""
    if not take_lease(session, f"drop:{source.code}", token, now, lease_seconds):
        raise FolderLost(source.code)
