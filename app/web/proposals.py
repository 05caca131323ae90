"""Proposals as API, console and commands tell them and act on them: committed first, then the plants are nudged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.dead_letters.repair import requeue
from app.dead_letters.selection import dead_ids
from app.inbox.door import Nudges
from app.reconcile.approval import approve
from app.reconcile.fixes import NotPossible, dead_of
from app.reconcile.proposals import find_proposal, plan, propose, reject
from app.reconcile.reports import find_report, list_differences
from app.store.reconcile_tables import Proposal
from app.store.session import Store
from app.web.problems import Problem
from config.topology import Topology

Clock = Callable[[], datetime]
REASON_LEAST, REASON_MOST = 3, 1_000


def told_proposal(one: Proposal) -> dict[str, Any]:
    """``plan`` is what it would do, ``outcome`` what it did."""
    return {
        "id": one.id,
        "reconciliation": one.reconciliation_id,
        "kind": one.kind,
        "number": one.number or None,
        "state": one.state,
        "reason": one.reason,
        "proposed_by": one.proposed_by,
        "proposed_at": one.proposed_at,
        "expires_at": one.expires_at,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at,
        "decision": one.decision,
        "plan": one.plan,
        "outcome": one.outcome,
    }


def preview_fix(store: Store, topology: Topology, report_id: int, kind: str, number: int) -> dict[str, Any]:
    """What a proposal would do, without making it. Raises Problem."""
    try:
        with store.reading() as session:
            return plan(session, topology, report_id, kind, number)[1].told()
    except NotPossible as error:
        raise _problem(error) from None


def propose_fix(
    store: Store, topology: Topology, report_id: int, kind: str, number: int, reason: str, actor: str, clock: Clock
) -> dict[str, Any]:
    """Raises Problem where nothing can be adjusted, or the same is under way."""
    try:
        with store.writing() as session:
            return told_proposal(propose(session, topology, report_id, kind, number, reason, actor, clock()))
    except NotPossible as error:
        raise _problem(error) from None


def approve_proposal(
    store: Store,
    topology: Topology,
    nudges: Nudges | None,
    proposal_id: int,
    reason: str | None,
    actor: str,
    clock: Clock,
) -> dict[str, Any]:
    """Raises Problem where the same person proposed it, it is over, or nothing is left as it was."""
    try:
        done = approve(store, topology, proposal_id, reason, actor, clock)
    except NotPossible as error:
        raise _problem(error) from None
    for plant, count in done.nudges.items():
        if nudges is not None:
            nudges.nudge(plant, count)
    return told_proposal(done.proposal)


def reject_proposal(store: Store, proposal_id: int, reason: str, actor: str, clock: Clock) -> dict[str, Any]:
    """Raises Problem where it is over already."""
    try:
        with store.writing() as session:
            return told_proposal(reject(session, proposal_id, reason, actor, clock()))
    except NotPossible as error:
        raise _problem(error) from None


def show_proposal(store: Store, proposal_id: int) -> dict[str, Any]:
    """Raises Problem where there is none."""
    try:
        with store.reading() as session:
            return told_proposal(find_proposal(session, proposal_id))
    except NotPossible as error:
        raise _problem(error) from None


def requeue_dead_of(
    store: Store, nudge: Callable[[set[int]], None], report_id: int, number: int, actor: str, clock: Clock, *, dry: bool
) -> list[int]:
    """Requeue the dead letters that make this difference, those that are still dead; ``dry`` only names them."""
    with store.reading() as session:
        found = find_report(session, report_id)
        rows = list_differences(session, report_id, 1, number - 1) if found is not None and number > 0 else []
        if not rows or rows[0].number != number:
            raise Problem(404, "not_found", f"There is no difference {number} of reconciliation {report_id}.")
        ids = dead_ids(session, dead_of(rows))
    if dry or not ids:
        return sorted(ids)
    with store.writing() as session:
        note = f"requeued from reconciliation {report_id}, difference {number}"
        moved = requeue(session, sorted(ids), actor, clock(), note=note)
    nudge(moved)
    return sorted(moved)


def _problem(error: NotPossible) -> Problem:
    told = str(error)
    if told.startswith("There is no "):
        return Problem(404, "not_found", told)
    return Problem(409, "not_possible", told)
