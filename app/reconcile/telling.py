"""Tell a person when more is unexplained than was, and when a comparison by itself fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions, unresolved
from app.store.reconcile_tables import Difference, Reconciliation
from mappings.units import plain

UNEXPLAINED, FAILED = "stock_unexplained", "reconciliation_failed"
LOOKED_AT = 100_000
NAMED = 3
Place = tuple[str, ...]


def tell_report(session: Session, report: Reconciliation, now: datetime) -> None:
    """Raise what is unexplained where it is more than in the report before, at any place; close it where nothing is.
    Where it is as it was, what was told of it stays as it is."""
    key = _key(UNEXPLAINED, report.system, report.against)
    _close(session, _key(FAILED, report.system, None), "A comparison went through.", now)
    if not report.unexplained:
        _close(session, key, f"Reconciliation {report.id} explains all of it.", now)
        return
    before = _unexplained_of(session, _report_before(session, report))
    rests = _unexplained_of(session, report.id)
    grown = [place for place, rest in rests.items() if abs(rest) > abs(before.get(place, Decimal(0)))]
    if grown:
        raise_exceptions(session, [_cause(report, key, grown, rests)], now)


def tell_failure(session: Session, system: str, why: str, now: datetime) -> None:
    """The system's balances could not be read when it was due."""
    message = f"The balances of {system} could not be read to be compared: {why} It is tried again."
    key = _key(FAILED, system, None)
    raise_exceptions(session, [Cause(FAILED, key, f"reconciliation of {system}", "warning", message)], now)


def _cause(report: Reconciliation, key: str, grown: Sequence[Place], rests: dict[Place, Decimal]) -> Cause:
    named = ", ".join(f"{' '.join(part for part in place if part)} ({plain(rests[place])})" for place in grown[:NAMED])
    more = f" and {len(grown) - NAMED} more" if len(grown) > NAMED else ""
    against = f" against {report.against}" if report.against else ""
    return Cause(
        rule=UNEXPLAINED,
        key=key,
        subject=f"stock of {report.system}{against}",
        severity="serious",
        message=(
            f"Reconciliation {report.id} of {report.system}{against} leaves more unexplained than the one before, at "
            f"{named}{more}. Look at it (lineside reconcile show {report.id}); adjust it where the cause is known."
        ),
        detail={"reconciliation": report.id, "unexplained": report.unexplained, "grown": len(grown)},
    )


def _report_before(session: Session, report: Reconciliation) -> int | None:
    query = select(Reconciliation.id).where(
        Reconciliation.system == report.system,
        Reconciliation.against.is_not_distinct_from(report.against),
        Reconciliation.level == report.level,
        Reconciliation.id < report.id,
    )
    return session.scalars(query.order_by(Reconciliation.id.desc()).limit(1)).one_or_none()


def _unexplained_of(session: Session, report_id: int | None) -> dict[Place, Decimal]:
    if report_id is None:
        return {}
    columns = (Difference.plant, Difference.item, Difference.storage, Difference.lot, Difference.unexplained)
    query = select(*columns).where(Difference.reconciliation_id == report_id, Difference.unexplained != Decimal(0))
    return {tuple(row[:4]): row[4] for row in session.execute(query.limit(LOOKED_AT))}


def _key(rule: str, system: str, against: str | None) -> str:
    return f"{rule}:{system}:{against or ''}"


def _close(session: Session, key: str, how: str, now: datetime) -> None:
    close_exceptions(session, [one.id for one in unresolved(session, (UNEXPLAINED, FAILED), 1, [key])], how, now)
