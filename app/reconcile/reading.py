"""Take snapshots of systems that are asked: one, or two shortly after each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from app.adapters.base import Adapter
from app.reconcile.snapshots import read_balances
from app.store.session import Store
from app.store.snapshots import Balance, save_snapshot

Advance = Callable[[Iterable[Balance]], Iterable[Balance]]


def take_snapshot(
    store: Store,
    system: str,
    adapter: Adapter,
    actor: str,
    clock: Callable[[], datetime],
    shown: Advance = iter,
) -> int:
    """Read the system's balances and keep them, as of when the reading began; returns the snapshot's id. Nothing is
    open in the database meanwhile. Raises as the adapter does, and SnapshotUnreadable."""
    began = clock()
    balances = list(shown(read_balances(adapter)))
    with store.writing() as session:
        return save_snapshot(session, system, began, "read", actor, balances)
