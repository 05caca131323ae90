"""Business exceptions as API, console and commands see them and act on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.business_exceptions.acts import acknowledge, resolve
from app.business_exceptions.lookup import STATES, ExceptionFilter, find_exception
from app.business_exceptions.notices import WAITING
from app.completeness.keeping import waive
from app.store.exception_tables import BusinessException, ExceptionNotice
from app.store.session import Store
from app.web import parameters
from app.web.problems import Problem
from config.exception_policy import ExceptionPolicy
from config.exception_terms import RULE_TERMS, SEVERITIES
from mappings.units import plain

PROCESSES = ("production", "inventory", "quality", "maintenance", "integration")


def filter_of_query(query: Mapping[str, str]) -> ExceptionFilter:
    return ExceptionFilter(
        states=parameters.words(query, "state", STATES),
        plant=parameters.text(query, "plant"),
        source=parameters.text(query, "source"),
        rule=parameters.text(query, "rule"),
        severity=parameters.word(query, "severity", SEVERITIES),
        process=parameters.word(query, "process", PROCESSES),
        owner=parameters.text(query, "owner"),
        object_type=parameters.text(query, "object_type"),
        object_id=parameters.text(query, "object_id"),
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
        "process": exception.process,
        "object_type": exception.object_type,
        "object_id": exception.object_id,
        "messages": exception.messages or {"ids": [], "more": 0},
        "owner": exception.owner,
        "value_at_risk": value_at_risk(exception),
        "escalation": exception.escalation,
        "told_at": exception.told_at,
    }


def value_at_risk(exception: BusinessException) -> dict[str, Any] | None:
    """None where it is not known."""
    if exception.value_at_risk is None:
        return None
    return {"value": plain(exception.value_at_risk), "currency": exception.currency}


def told_notice(notice: ExceptionNotice) -> dict[str, Any]:
    """Without its body, which is the exception's own, and without the address, which is its owner's."""
    return {
        "id": notice.id,
        "kind": notice.kind,
        "owner": notice.owner,
        "channel": notice.channel,
        "state": notice.state,
        "tries": notice.tries,
        "trouble": notice.trouble,
        "created_at": notice.created_at,
        "due_at": notice.due_at if notice.state == WAITING else None,
        "ended_at": notice.ended_at,
    }


def told_rule(word: str, policy: ExceptionPolicy, plant: str | None) -> dict[str, Any]:
    """A rule as it holds in a plant, with the threshold under the name that has its unit."""
    terms, settings = RULE_TERMS[word], policy.of(word, plant)
    return {
        "rule": word,
        "plant": plant,
        "process": settings.process,
        "enabled": settings.enabled and (policy.is_judged or not terms.judged),
        "threshold": {terms.key: settings.threshold} if terms.key else {},
        "severity": settings.severity,
        "owner": settings.owner,
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
