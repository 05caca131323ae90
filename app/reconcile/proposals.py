"""Adjustments that one person proposes and another approves; each act is in the trail, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.reconcile.fixes import Correction, Line, NotPossible, correction_of, line_of
from app.reconcile.reports import Report, find_report
from app.store.reconcile_tables import Difference, Proposal
from config.topology import Topology
from mappings.units import plain

PROPOSED, APPROVED, REJECTED, EXPIRED = "proposed", "approved", "rejected", "expired"
STATES = (PROPOSED, APPROVED, REJECTED, EXPIRED)
EXPIRES_AFTER = timedelta(days=7)
EXPIRED_AT_ONCE = 100
SHOWN = 20
LINES_MOST = 10_000
"""Of one proposal. They are stored in one transaction, and on SQLite nobody else writes meanwhile."""


@dataclass(frozen=True)
class Plan:
    """What a proposal would do: whom it corrects, line by line, and the differences that it leaves out, with why.
    ``is_whole``: whether these are all; the rest shows in the next comparison."""

    correction: Correction
    lines: Sequence[Line]
    left_out: Sequence[tuple[int, str]]
    is_whole: bool

    def told(self) -> dict[str, Any]:
        """Numbers, and the first of each."""
        return {
            "side": self.correction.side,
            "lines": len(self.lines),
            "first": [told_line(line) for line in self.lines[:SHOWN]],
            "is_whole": self.is_whole,
            "left_out": len(self.left_out),
            "first_left_out": [{"number": number, "why": why} for number, why in self.left_out[:SHOWN]],
        }


def told_line(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "plant": line.plant,
        "item": line.item,
        "storage": line.storage or None,
        "lot": line.lot or None,
        "quantity": plain(line.quantity),
        "uom": line.uom,
    }


def plan(session: Session, topology: Topology, report_id: int, kind: str, number: int) -> tuple[Report, Plan]:
    """What would be done about difference ``number`` of a report, or 0 for all of them. Raises NotPossible."""
    found = find_report(session, report_id)
    if found is None:
        raise NotPossible(f"There is no reconciliation {report_id}.")
    correction = correction_of(topology, found.report, kind)
    rows = _differences(session, report_id, number)
    lines: list[Line] = []
    left_out: list[tuple[int, str]] = []
    for one in rows[:LINES_MOST]:
        line = line_of(topology, correction, one)
        if isinstance(line, Line):
            lines.append(line)
        elif line is not None:
            left_out.append((one.number, line))
    if not lines:
        why = left_out[0][1] if left_out else "its causes explain all of it"
        raise NotPossible(f"Nothing is left to be adjusted: {why}.")
    return found, Plan(correction, lines, left_out, len(rows) <= LINES_MOST)


def _differences(session: Session, report_id: int, number: int) -> Sequence[Difference]:
    query = select(Difference).where(Difference.reconciliation_id == report_id)
    if not number:
        unexplained = query.where(Difference.unexplained != Decimal(0)).order_by(Difference.number)
        return session.scalars(unexplained.limit(LINES_MOST + 1)).all()
    rows = session.scalars(query.where(Difference.number == number)).all()
    if not rows:
        raise NotPossible(f"Reconciliation {report_id} has no difference {number}.")
    return rows


def propose(
    session: Session, topology: Topology, report_id: int, kind: str, number: int, reason: str, actor: str, now: datetime
) -> Proposal:
    """Keep what one person proposes until another decides. Raises NotPossible, also where the same is under way."""
    expire(session, now)
    _, planned = plan(session, topology, report_id, kind, number)
    same = select(Proposal).where(
        Proposal.reconciliation_id == report_id,
        Proposal.kind == kind,
        Proposal.number == number,
        Proposal.state.in_([PROPOSED, APPROVED]),
    )
    before = session.scalars(same).first()
    if before is not None:
        raise NotPossible(f"The same is {before.state} already, as proposal {before.id}.")
    proposal = Proposal(
        reconciliation_id=report_id,
        kind=kind,
        number=number,
        state=PROPOSED,
        plan=planned.told(),
        reason=reason,
        proposed_by=actor[:120],
        proposed_at=now,
        expires_at=now + EXPIRES_AFTER,
    )
    try:
        with session.begin_nested():
            session.add(proposal)
    except IntegrityError:  # by another at the same time
        raise NotPossible("The same was proposed just now.") from None
    detail = {"reconciliation": report_id, "kind": kind, "number": number, "lines": len(planned.lines)}
    record(session, actor, "proposal.proposed", f"proposal:{proposal.id}", detail, now)
    return proposal


def reject(session: Session, proposal_id: int, reason: str, actor: str, now: datetime) -> Proposal:
    """Turn a proposal down; who proposed it may do so, too. Raises NotPossible."""
    expire(session, now)
    proposal = find_proposal(session, proposal_id)
    if not decide(session, proposal_id, REJECTED, reason, actor, now):
        raise undecided(proposal, now)
    record(session, actor, "proposal.rejected", f"proposal:{proposal_id}", {"reason": reason}, now)
    session.refresh(proposal)
    return proposal


def decide(session: Session, proposal_id: int, state: str, decision: str | None, actor: str, now: datetime) -> bool:
    """The only way out of ``proposed``: of two who decide at once one does."""
    values = {"state": state, "decided_by": actor[:120], "decided_at": now, "decision": decision}
    statement = (
        update(Proposal)
        .where(Proposal.id == proposal_id, Proposal.state == PROPOSED, Proposal.expires_at > now)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    result: Any = session.execute(statement)
    return bool(result.rowcount)


def expire(session: Session, now: datetime) -> int:
    """End what nobody has decided in time; returns how many that were."""
    query = select(Proposal.id).where(Proposal.state == PROPOSED, Proposal.expires_at <= now)
    ids = list(session.scalars(query.order_by(Proposal.id).limit(EXPIRED_AT_ONCE).with_for_update()))
    for key in ids:
        record(session, "lineside", "proposal.expired", f"proposal:{key}", None, now)
    ended = update(Proposal).where(Proposal.id.in_(ids)).values(state=EXPIRED, decided_at=now, decided_by="lineside")
    session.execute(ended.execution_options(synchronize_session=False))
    return len(ids)


def find_proposal(session: Session, proposal_id: int) -> Proposal:
    """Raises NotPossible where there is none."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None:
        raise NotPossible(f"There is no proposal {proposal_id}.")
    return proposal


def undecided(proposal: Proposal, now: datetime) -> NotPossible:
    """Why this one cannot be decided any more."""
    state = EXPIRED if proposal.state == PROPOSED and proposal.expires_at <= now else proposal.state
    by = f" by {proposal.decided_by}" if proposal.decided_by else ""
    return NotPossible(f"Proposal {proposal.id} is {state}{by}; compare anew where something is still wrong.")


def list_proposals(
    session: Session, limit: int, before: int | None = None, state: str | None = None, report_id: int | None = None
) -> Sequence[Proposal]:
    """The newest first."""
    query = select(Proposal).order_by(Proposal.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Proposal.id < before)
    if state is not None:
        query = query.where(Proposal.state == state)
    if report_id is not None:
        query = query.where(Proposal.reconciliation_id == report_id)
    return session.scalars(query).all()


def is_same_person(one: str, other: str) -> bool:
    """Whether two names of the trail may be one person: at a terminal the name is the system's user."""
    return _person(one) == _person(other)


def _person(actor: str) -> str:
    return actor.strip().removeprefix("cli:").casefold()
