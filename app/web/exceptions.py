"""Business exceptions as API, console and commands see them and act on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.business_exceptions.acts import acknowledge, resolve
from app.business_exceptions.lookup import STATES, ExceptionFilter, find_exception
from app.completeness.keeping import waive
from app.store.exception_tables import BusinessException
from app.store.session import Store
from app.web import parameters
from app.web.problems import Problem

RUNBOOK = "docs/runbooks/completeness.md"


def filter_of_query(query: Mapping[str, str]) -> ExceptionFilter:
    return ExceptionFilter(
        states=parameters.words(query, "state", STATES),
        plant=parameters.text(query, "plant"),
        source=parameters.text(query, "source"),
        rule=parameters.text(query, "rule"),
    )


def told(exception: BusinessException) -> dict[str, Any]:
    """Everything that is known of it; instants as such."""
    return {
        "id": exception.id,
        "rule": exception.rule,
        "plant": exception.plant,
        "source": exception.source,
        "subject": exception.subject,
        "severity": exception.severity,
        "message": exception.message,
        "missing_from": exception.missing_from,
        "missing_to": exception.missing_to,
        "detail": exception.detail,
        "state": exception.state,
        "times": exception.times,
        "first_seen_at": exception.first_seen_at,
        "last_seen_at": exception.last_seen_at,
        "acknowledged_at": exception.acknowledged_at,
        "acknowledged_by": exception.acknowledged_by,
        "resolved_at": exception.resolved_at,
        "resolved_by": exception.resolved_by,
        "resolution": exception.resolution,
    }


def acknowledge_exception(store: Store, exception_id: int, actor: str, reason: str | None, now: datetime) -> None:
    """Raises Problem where there is none, or it is not open."""
    with store.writing() as session:
        if not acknowledge(session, exception_id, actor, reason, now):
            raise _not_possible(find_exception(session, exception_id), exception_id, "open")


def resolve_exception(store: Store, exception_id: int, actor: str, reason: str, now: datetime) -> None:
    """What it asked for is not asked for again. Raises Problem where there is none, or it is resolved already."""
    with store.writing() as session:
        if not resolve(session, exception_id, actor, reason, now):
            raise _not_possible(find_exception(session, exception_id), exception_id, "unresolved")
        resolved = find_exception(session, exception_id)
        assert resolved is not None
        waive(session, resolved, now)


def _not_possible(found: BusinessException | None, exception_id: int, needed: str) -> Problem:
    if found is None:
        return Problem(404, "not_found", f"There is no business exception {exception_id}.")
    by = found.resolved_by or found.acknowledged_by
    return Problem(
        409,
        "not_possible",
        f"Business exception {exception_id} is not {needed}: it is {found.state}, by {by}.",
        more={"state": found.state},
    )
