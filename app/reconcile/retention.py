"""Keep the newest reports of each system, and let the oldest go."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.store.reconcile_tables import Difference, Proposal, Reconciliation, Snapshot, SnapshotRow
from config.reconciling import KEEP
from config.topology import Topology

PRUNED_MOST = 20
"""Reports that one transaction lets go; the next report's goes on."""


def keep_of(topology: Topology, system: str) -> int:
    """How many reports of a system are kept; of one compared with others, of each pair."""
    target = topology.targets.get(system)
    return KEEP if target is None or target.reconcile is None else target.reconcile.keep


def prune_reports(session: Session, system: str, against: str | None, keep: int) -> int:
    """Let go of what is older than the newest ``keep``, with its snapshots; returns how many that were. A report that
    somebody proposed something for, and that was not turned down, stays: what was posted by it names it."""
    mine = (Reconciliation.system == system) & Reconciliation.against.is_not_distinct_from(against)
    oldest_kept = select(Reconciliation.id).where(mine).order_by(Reconciliation.id.desc()).offset(keep - 1).limit(1)
    bound = session.scalars(oldest_kept).one_or_none()
    if bound is None:
        return 0
    needed = select(Proposal.id).where(
        Proposal.reconciliation_id == Reconciliation.id, Proposal.state.in_(["proposed", "approved"])
    )
    query = select(Reconciliation).where(mine, Reconciliation.id < bound, ~needed.exists())
    gone = session.scalars(query.order_by(Reconciliation.id).limit(PRUNED_MOST)).all()
    ids = [one.id for one in gone]
    snapshots = {key for one in gone for key in (one.snapshot_id, one.against_snapshot_id) if key is not None}
    for table, column in ((Proposal, Proposal.reconciliation_id), (Difference, Difference.reconciliation_id)):
        session.execute(delete(table).where(column.in_(ids)), execution_options={"synchronize_session": False})
    session.execute(
        delete(Reconciliation).where(Reconciliation.id.in_(ids)), execution_options={"synchronize_session": False}
    )
    _drop_snapshots(session, snapshots)
    return len(ids)


def _drop_snapshots(session: Session, ids: Collection[int]) -> None:
    """Those of these that no report needs any more."""
    needed: set[int | None] = set()
    of_these = or_(Reconciliation.snapshot_id.in_(ids), Reconciliation.against_snapshot_id.in_(ids))
    for row in session.execute(select(Reconciliation.snapshot_id, Reconciliation.against_snapshot_id).where(of_these)):
        needed |= set(row)
    gone = sorted(set(ids) - needed)
    rows, snapshots = SnapshotRow.snapshot_id.in_(gone), Snapshot.id.in_(gone)
    for statement in (delete(SnapshotRow).where(rows), delete(Snapshot).where(snapshots)):
        session.execute(statement.execution_options(synchronize_session=False))
