"""Compare systems by themselves, or because somebody asked: read their balances when that is due, and compare what was
read or dropped.

The database says what is due, so a lost task costs nothing: the relay asks again. One reading or comparison is under
way at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.adapters.base import Adapter
from app.errors import LinesideError
from app.inbox.claim import new_token
from app.projections.effects import has_effects
from app.reconcile.keys import Level
from app.reconcile.proposals import expire
from app.reconcile.reading import take_snapshot
from app.reconcile.reports import reconcile
from app.reconcile.retention import keep_of, prune_reports
from app.reconcile.schedule import next_due
from app.reconcile.telling import tell_failure, tell_report
from app.store.leases import keep_lease, lease_is_free, take_lease
from app.store.reconcile_requests import (
    begin_request,
    end_request,
    note_snapshot,
    request_of_snapshot,
    to_be_read,
)
from app.store.reconcile_tables import ReconcileRequest, Snapshot
from app.store.reconcile_turns import (
    await_comparison,
    awaiting,
    begin_comparison,
    end_comparison,
    load_turns,
    save_turn,
)
from app.store.session import Store
from app.store.snapshots import SnapshotUnreadable
from config.reconciling import Reconciling
from config.topology import Topology

log = structlog.get_logger()

LEASE = "reconcile"
# A worker that was killed holds all others up for as long as a slow system may take to tell its balances.
LEASE_SECONDS = 900.0
RETRY = timedelta(minutes=5)
RETRY_MOST = timedelta(hours=2)
# What took effect is entered within seconds; what is still not after this time is not waited for.
CATCH_UP = timedelta(minutes=10)
BEGUN_MOST = 3
ACTOR = "lineside"

Stage = Literal["read", "compare"]


@dataclass(frozen=True)
class Turns:
    """What the turns of one process work with."""

    store: Store
    topology: Topology
    adapter_for: Callable[[str], Adapter]
    clock: Callable[[], datetime]

    def due(self) -> tuple[Stage, str] | None:
        """What is to be done next, and of which system, unless something is under way. What somebody asked for goes
        before what is due by the clock."""
        now = self.clock()
        with self.store.reading() as session:
            request, snapshot = to_be_read(session), awaiting(session)
            is_anything = request is not None or snapshot is not None or is_kept(self.topology)
            if not is_anything or not lease_is_free(session, LEASE, now, LEASE_SECONDS):
                return None
            if snapshot is not None and (now - snapshot.taken_at > CATCH_UP or not has_effects(session)):
                return "compare", snapshot.system
            if request is not None:
                return "read", request.system
            turns = load_turns(session)
        for system, block in _blocks(self.topology):
            turn, following = turns.get(system), next_due(self.topology, block, now)
            if turn is None or turn.due_at > following:
                with self.store.writing() as session:
                    save_turn(session, system, following)
            elif turn.due_at <= now:
                return "read", system
        return None

    def read(self, system: str) -> bool:
        """Take the snapshots of a system whose turn it is, or that somebody asked for; False where neither is so, or
        another is under way. What a system does to it is told, and its turn is tried again later."""
        with self._held() as held:
            with self.store.reading() as session:
                request = to_be_read(session, system)
            if held and request is not None:
                return self._read_for(request)
            target = self.topology.targets.get(system)
            block = target.reconcile if target is not None else None
            with self.store.reading() as session:
                turn = load_turns(session).get(system)
            if not held or turn is None or block is None or turn.due_at > self.clock():
                return False
            try:
                snapshot = self._take(system)
                against = None if block.against is None else self._take(block.against)
            except (LinesideError, SnapshotUnreadable) as error:
                self._failed(system, turn.failures + 1, block, str(error))
                return False
            with self.store.writing() as session:
                await_comparison(session, snapshot, against)
                save_turn(session, system, next_due(self.topology, block, self.clock()))
            return True

    def compare(self) -> int | None:
        """Compare the oldest snapshot that was read or dropped for it; returns the report's id, None where there is
        none, and where it was begun too often and is given up."""
        with self._held() as held:
            snapshot = self._begin() if held else None
            if snapshot is None:
                return None
            store, system = self.store, snapshot.system
            with store.reading() as session:
                request = request_of_snapshot(session, snapshot.id)
            level = level_of(self.topology, system) if request is None else Level(request.level)
            actor = ACTOR if request is None else request.asked_by
            report = reconcile(store, self.topology, snapshot.id, level, actor, self.clock(), snapshot.against_id)
            with store.writing() as session:
                end_comparison(session, snapshot.id)
                if request is None:
                    tell_report(session, report, self.clock())
                else:  # whoever asked looks at it
                    end_request(session, request.id, self.clock(), report.id)
                expire(session, self.clock())
                prune_reports(session, system, report.against, keep_of(self.topology, system))
            log.info("reconciled", system=system, reconciliation_id=report.id, unexplained=report.unexplained)
            return report.id

    def _begin(self) -> Snapshot | None:
        """One that ended so many workers ends no more."""
        with self.store.writing() as session:
            snapshot = awaiting(session)
            if snapshot is None:
                return None
            if (snapshot.awaits or 0) >= BEGUN_MOST:
                end_comparison(session, snapshot.id)
                why = f"comparing snapshot {snapshot.id} was begun {BEGUN_MOST} times and never ended; see the log."
                request = request_of_snapshot(session, snapshot.id)
                if request is None:
                    tell_failure(session, snapshot.system, why, self.clock())
                else:
                    end_request(session, request.id, self.clock(), trouble=why)
                return None
            begin_comparison(session, snapshot)
            return snapshot

    @contextmanager
    def _held(self) -> Iterator[bool]:
        token = new_token()
        with self.store.writing() as session:
            held = take_lease(session, LEASE, token, self.clock(), LEASE_SECONDS)
        try:
            yield held
        finally:
            if held:
                with self.store.writing() as session:
                    keep_lease(session, LEASE, token, self.clock(), 0)

    def _read_for(self, request: ReconcileRequest) -> bool:
        """Take what is to be compared for this request. Whoever asked is told what a system does to it and asks again;
        one that ended so many workers ends no more."""
        if request.begun >= BEGUN_MOST:
            return self._gave_up(request, f"Reading was begun {BEGUN_MOST} times and never ended; see the log.")
        with self.store.writing() as session:
            begin_request(session, request.id)
        try:
            snapshot = self._take(request.system, request.asked_by)
            against = None if request.against is None else self._take(request.against, request.asked_by)
        except (LinesideError, SnapshotUnreadable) as error:
            return self._gave_up(request, str(error))
        with self.store.writing() as session:
            await_comparison(session, snapshot, against)
            note_snapshot(session, request.id, snapshot)
        return True

    def _gave_up(self, request: ReconcileRequest, why: str) -> bool:
        log.warning("balances_not_read", system=request.system, request=request.id, error=why)
        with self.store.writing() as session:
            end_request(session, request.id, self.clock(), trouble=why)
        return False

    def _take(self, system: str, actor: str = ACTOR) -> int:
        return take_snapshot(self.store, system, self.adapter_for(system), actor, self.clock)

    def _failed(self, system: str, failures: int, block: Reconciling, why: str) -> None:
        now = self.clock()
        again = now + min(RETRY * 2 ** min(failures - 1, 10), RETRY_MOST)
        log.warning("balances_not_read", system=system, failures=failures, error=why)
        with self.store.writing() as session:
            save_turn(session, system, min(again, next_due(self.topology, block, now)), failures)
            tell_failure(session, system, why, now)


def is_kept(topology: Topology) -> bool:
    """Whether anything is compared by itself."""
    files = (file for source in topology.sources.values() for file in source.files)
    return any(True for _ in _blocks(topology)) or any(file.balances is not None for file in files)


def level_of(topology: Topology, system: str) -> Level:
    """By what a system is compared by itself: as its own block says, or that of the file that it drops."""
    target = topology.targets.get(system)
    if target is not None and target.reconcile is not None:
        return Level(target.reconcile.level)
    for source in topology.sources.values():
        for file in source.files:
            if file.balances is not None and (file.balances.of or source.code) == system:
                return Level(file.balances.level)
    return Level.ITEM


def _blocks(topology: Topology) -> Iterator[tuple[str, Reconciling]]:
    return ((code, one.reconcile) for code, one in topology.targets.items() if one.reconcile is not None)
