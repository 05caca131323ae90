"""Approve a proposal: what is still as it was when it was proposed becomes messages in the inbox, all or none of it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.inbox.accept import Incoming, accept_messages
from app.reconcile.compare import Comparison
from app.reconcile.fixes import ADJUSTED, TAKE_OVER, Correction, Line, NotPossible, correction_of
from app.reconcile.keys import Key, Level
from app.reconcile.proposals import APPROVED, PROPOSED, Plan, decide, find_proposal, is_same_person, plan, undecided
from app.reconcile.reports import Report, compare_told, find_report, load_told
from app.store.access_tables import Lease
from app.store.leases import NEVER_HELD
from app.store.reconcile_tables import Proposal
from app.store.session import Store
from config.topology import Topology
from mappings.units import Quantity, plain

TURN = "corrections"
"""The row that says which approval was the last: what was compared before another one counts for nothing."""
TRIES = 5
APPROVED_LOOKED_AT = 1_000
LEFT_OUT_TOLD = 200


@dataclass(frozen=True)
class Approved:
    """``outcome`` is what is kept with the proposal: how many messages, and what was left out. ``nudges``: plants with
    new messages, and how many each."""

    proposal: Proposal
    outcome: Mapping[str, Any]
    nudges: Mapping[str, int]


@dataclass(frozen=True)
class _Looked:
    """What another look at the same balances finds: ``turn`` is whose approval was the last then."""

    turn: str
    report: Report
    plan: Plan
    messages: Sequence[Incoming]
    moved: Sequence[tuple[int, str]]


def approve(
    store: Store, topology: Topology, proposal_id: int, reason: str | None, actor: str, clock: Callable[[], datetime]
) -> Approved:
    """Do what was proposed. The balances are compared once more with all that is known by now: a difference of which
    less or more is unexplained than was proposed is left out, and told. Raises NotPossible where the same person
    proposed it, where it is decided or over, and where nothing is left as it was."""
    for _ in range(TRIES):
        looked = _look(store, topology, proposal_id, actor, clock())
        with store.writing() as session:
            if not _take_turn(session, looked.turn):
                continue
            return _carry_out(session, proposal_id, looked, reason, actor, clock())
    raise NotPossible("Others approve at the same time; try again in a moment.")


def _look(store: Store, topology: Topology, proposal_id: int, actor: str, now: datetime) -> _Looked:
    with store.reading() as session:
        turn = session.scalars(select(Lease.token).where(Lease.name == TURN)).one_or_none() or ""
        proposal = find_proposal(session, proposal_id)
        if proposal.state != PROPOSED or proposal.expires_at <= now:
            raise undecided(proposal, now)
        if is_same_person(proposal.proposed_by, actor):
            raise NotPossible(f"{proposal.proposed_by} proposed it: another person has to approve it.")
        report, planned = plan(session, topology, proposal.reconciliation_id, proposal.kind, proposal.number)
        _refuse_overtaken(session, topology, report, planned.correction)
        one = load_told(session, report.report.snapshot_id)
        against = report.report.against_snapshot_id
        other = None if against is None else load_told(session, against)
        level = Level(report.report.level)
        lines, moved = _still_so(planned, compare_told(session, topology, one, other, level))
    if not lines:
        raise NotPossible("Nothing is as it was when this was proposed: compare anew.")
    messages = [_message(report, planned.correction, line, proposal.kind) for line in lines]
    return _Looked(turn, report, planned, messages, moved)


def _refuse_overtaken(session: Session, topology: Topology, report: Report, correction: Correction) -> None:
    """What was approved of a later comparison happened after this one's cut-off, so that to compare this one's balances
    again would not show it."""
    query = select(Proposal).where(Proposal.state == APPROVED, Proposal.decided_at >= report.report.made_at)
    for other in session.scalars(query.order_by(Proposal.id.desc()).limit(APPROVED_LOOKED_AT)):
        its = find_report(session, other.reconciliation_id)
        if its is None or its.cut_off <= report.cut_off:
            continue
        try:
            same = correction_of(topology, its.report, other.kind).source == correction.source
        except NotPossible:  # the topology has changed since
            continue
        if same:
            raise NotPossible(f"Proposal {other.id}, of a later comparison, was approved meanwhile: compare anew.")


def _still_so(planned: Plan, now: Comparison) -> tuple[list[Line], list[tuple[int, str]]]:
    """The lines of which just as much is unexplained as was, and the others with why."""
    unexplained = {one.key: (one.unexplained, one.uom) for one in now.differences}
    lines: list[Line] = []
    moved: list[tuple[int, str]] = []
    for line in planned.lines:
        rest, uom = unexplained.get(Key(line.plant, line.item, line.storage, line.lot), (Decimal(0), line.uom))
        if (rest * planned.correction.sign, uom) == (line.quantity, line.uom):
            lines.append(line)
        else:
            was = plain(line.quantity * planned.correction.sign)
            moved.append((line.number, f"{plain(rest)} {uom} of it is unexplained by now, and was {was} {line.uom}"))
    return lines, moved


def _take_turn(session: Session, turn: str) -> bool:
    """False where another approval came between: what was compared before it may be explained by it."""
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    session.execute(build(Lease).values(name=TURN, token="", until=NEVER_HELD).on_conflict_do_nothing())
    mine = update(Lease).where(Lease.name == TURN, Lease.token == turn).values(token=secrets.token_hex(16))
    result: Any = session.execute(mine.execution_options(synchronize_session=False))
    return bool(result.rowcount)


def _carry_out(
    session: Session, proposal_id: int, looked: _Looked, reason: str | None, actor: str, now: datetime
) -> Approved:
    proposal = find_proposal(session, proposal_id)
    if not decide(session, proposal_id, APPROVED, reason, actor, now):
        session.refresh(proposal)
        raise undecided(proposal, now)
    messages = looked.messages
    answers = accept_messages(session, messages, now)
    accepted = [message for message, answer in zip(messages, answers, strict=True) if answer.status == "accepted"]
    left_out = [*looked.plan.left_out, *looked.moved]
    outcome = {
        "messages": len(accepted),
        "first_message": min((answer.id for answer in answers if answer.status == "accepted"), default=None),
        "repeated": len(messages) - len(accepted),
        "left_out": len(left_out),
        "first_left_out": [{"number": number, "why": why} for number, why in left_out[:LEFT_OUT_TOLD]],
    }
    kept = update(Proposal).where(Proposal.id == proposal_id).values(outcome=outcome)
    session.execute(kept.execution_options(synchronize_session=False))
    detail = {name: outcome[name] for name in ("messages", "repeated", "left_out")} | {"reason": reason}
    record(session, actor, "proposal.approved", f"proposal:{proposal_id}", detail, now)
    session.refresh(proposal)
    return Approved(proposal, outcome, Counter(message.plant for message in accepted))


def _message(found: Report, correction: Correction, line: Line, kind: str) -> Incoming:
    """One adjustment as any sender would send it, at the instant of the comparison. The same difference of the same
    report gives the same message whichever proposal it comes from."""
    report = found.report
    data: dict[str, Any] = {
        "event_time": found.cut_off.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "item": line.item,
        "delta": Quantity(line.quantity, line.uom).wire(),
        "reason": _reason(report.system, correction, kind),
        "document_ref": {"type": "reconciliation", "id": str(report.id), "line": str(line.number)},
    }
    data |= {"location": {"storage": line.storage}} if line.storage else {}
    data |= {"lot": line.lot} if line.lot else {}
    body = json.dumps(data, ensure_ascii=False, sort_keys=True).encode()
    return Incoming(
        plant=line.plant,
        source=correction.source,
        source_message_id=f"reconciliation/{report.id}/{line.number}",
        type=ADJUSTED,
        content_type="application/json",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        note=f"approved from reconciliation {report.id}",
    )


def _reason(system: str, correction: Correction, kind: str) -> str:
    if kind == TAKE_OVER:
        return f"taken over as {system} has it"
    return f"unexplained difference, adjusted at {correction.side}"
