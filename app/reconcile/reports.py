"""Reconcile, keep what came of it, and show it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.reconcile.attribution import Attributed, Found
from app.reconcile.causes import Cause
from app.reconcile.compare import Comparison, Told, compare, compare_two
from app.reconcile.keys import Level
from app.store.reconcile_tables import Difference, Reconciliation, Snapshot
from app.store.session import Store
from app.store.snapshots import load_balances
from config.topology import Topology
from mappings.units import plain

CHUNK = 500
UNREAD_NAMED = 50

TOLD: dict[Cause, tuple[str, str]] = {
    Cause.DEAD: ("dead letters", "Mend and requeue them: lineside dead requeue {ids}"),
    Cause.WAITING: ("messages that wait", "Provide what they wait for; lineside trace {first} says what that is"),
    Cause.IN_FLIGHT: ("messages on their way", "Wait a moment and compare again"),
    Cause.UNKNOWN_OUTCOME: ("postings whose outcome is unknown", "Decide them: lineside postings --state unknown"),
    Cause.REFUSED: ("postings that were refused and are not required", "lineside requeue-posting, once it is mended"),
    Cause.TIMING: ("messages that were posted after the snapshot", "Nothing: they are there by now"),
    Cause.NOT_ROUTED: ("messages of kinds that are not posted to it", "Route them there, or leave it so"),
    Cause.DUPLICATE: ("documents that it has twice", "Reverse one of the two there"),
    Cause.UNIT: ("a unit that the item does not have", "Add the unit to the item"),
    Cause.LOT: ("the same quantity in another lot", "Correct the lot where it is wrong"),
    Cause.STORAGE: ("the same quantity in another storage location", "Correct the storage location where it is wrong"),
}


def reconcile(
    store: Store,
    topology: Topology,
    snapshot_id: int,
    level: Level,
    actor: str,
    now: datetime,
    against: int | None = None,
) -> Reconciliation:
    """Compare this snapshot with what was reported, or with the snapshot ``against`` of another system, and keep what
    came of it. Nobody waits for the comparison: it only reads."""
    with store.reading() as session:
        one = load_told(session, snapshot_id)
        other = None if against is None else load_told(session, against)
        comparison = compare_told(session, topology, one, other, level)
    report = Reconciliation(
        system=one.system,
        snapshot_id=snapshot_id,
        level=level.value,
        made_at=now,
        actor=actor[:120],
        compared=comparison.compared,
        differences=len(comparison.differences),
        unexplained=sum(bool(found.unexplained) for found in comparison.differences),
        notes=_notes(comparison),
        against=None if other is None else other.system,
        against_snapshot_id=against,
    )
    with store.writing() as session:
        session.add(report)
        session.flush()
        for start in range(0, len(comparison.differences), CHUNK):
            chunk = comparison.differences[start : start + CHUNK]
            rows = [_row(report.id, start + number, found) for number, found in enumerate(chunk, start=1)]
            session.connection().execute(insert(Difference), rows)
        session.expunge(report)
    return report


def load_told(session: Session, snapshot_id: int) -> Told:
    snapshot = session.get_one(Snapshot, snapshot_id)
    return Told(snapshot.system, snapshot.taken_at, load_balances(session, snapshot_id))


def compare_told(session: Session, topology: Topology, one: Told, other: Told | None, level: Level) -> Comparison:
    """With the other system or, where there is none, with what was reported."""
    if other is None:
        return compare(session, topology, one.system, one.balances, one.taken_at, level)
    return compare_two(session, topology, one, other, level)


def _notes(comparison: Comparison) -> dict[str, Any]:
    """What may explain more than is told: messages whose effect cannot be read, and too many to look at."""
    return {
        "unread": list(comparison.unread[:UNREAD_NAMED]),
        "unread_count": len(comparison.unread),
        "is_whole": comparison.is_whole,
    }


def _row(report_id: int, number: int, one: Found) -> dict[str, Any]:
    return {
        "reconciliation_id": report_id,
        "number": number,
        "plant": one.key.plant,
        "item": one.key.item,
        "storage": one.key.storage,
        "lot": one.key.lot,
        "uom": one.uom,
        "system_quantity": one.system,
        "reported_quantity": one.reported,
        "unexplained": one.unexplained,
        "causes": [_told(cause) for cause in one.causes],
    }


def _told(one: Attributed) -> dict[str, Any]:
    what, mend = TOLD[one.cause]
    named = " ".join(str(key) for key in one.messages[:20])
    return {
        "cause": one.cause.value,
        "system": one.system,
        "quantity": plain(one.quantity),
        "messages": list(one.messages),
        "count": one.count,
        "told": what,
        "mend": mend.format(ids=named, first=one.messages[0] if one.messages else ""),
    }


def list_reports(
    session: Session, system: str | None, limit: int, before: int | None = None
) -> Sequence[Reconciliation]:
    """The newest first."""
    query = select(Reconciliation).order_by(Reconciliation.id.desc()).limit(limit)
    if system is not None:
        query = query.where(Reconciliation.system == system)
    if before is not None:
        query = query.where(Reconciliation.id < before)
    return session.scalars(query).all()


@dataclass(frozen=True)
class Report:
    """A comparison with the snapshots that it is of; ``other`` is None where it was held against what was reported."""

    report: Reconciliation
    snapshot: Snapshot
    other: Snapshot | None

    @property
    def cut_off(self) -> datetime:
        """Up to when what happened was compared: the later of the snapshots."""
        return max(one.taken_at for one in (self.snapshot, self.other) if one is not None)


def find_report(session: Session, report_id: int) -> Report | None:
    report = session.get(Reconciliation, report_id)
    if report is None:
        return None
    other = None
    if report.against_snapshot_id is not None:
        other = session.get_one(Snapshot, report.against_snapshot_id)
    return Report(report, session.get_one(Snapshot, report.snapshot_id), other)


def list_differences(
    session: Session, report_id: int, limit: int, after: int = 0, unexplained: bool = False
) -> Sequence[Difference]:
    """By plant, item, storage location and lot; with ``unexplained`` only those that the causes do not explain."""
    query = select(Difference).where(Difference.reconciliation_id == report_id, Difference.number > after)
    if unexplained:
        query = query.where(Difference.unexplained != Decimal(0))
    return session.scalars(query.order_by(Difference.number).limit(limit)).all()
