"""Ask for a comparison in the name of a person; who did stands in the trail."""

from __future__ import annotations

from typing import Any

from app.audit.trail import record
from app.store.reconcile_requests import OPEN_MOST, TooManyRequests, save_request
from app.store.reconcile_tables import ReconcileRequest
from app.web.problems import FieldError, Problem
from app.web.services import Services

REQUEST_STATES = ("asked", "comparing", "compared", "failed")


def ask_comparison(here: Services, system: str, against: str | None, level: str, actor: str) -> dict[str, Any]:
    """The request as it is told. Raises Problem for what is no target, for one system twice, and where too many are
    asked for already."""
    for place, code in (("/system", system), ("/against", against)):
        if code is not None and code not in here.topology.targets:
            known = sorted(here.topology.targets)
            raise _refused(f"The topology has no such target; it has: {', '.join(known)}.", place)
    if against == system:
        raise _refused("Name two systems.", "/against")
    now = here.clock()
    with here.store.writing() as session:
        try:
            request, is_new = save_request(session, system, against, level, actor, now)
        except TooManyRequests:
            detail = f"{OPEN_MOST} comparisons are asked for and not over; wait for one to end."
            raise Problem(409, "not_possible", detail) from None
        if is_new:
            detail_of_it = {"system": system, "against": against, "level": level}
            record(session, actor, "reconciliation.asked", f"reconcile_request:{request.id}", detail_of_it, now)
        return told_request(request)


def told_request(one: ReconcileRequest) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": _state(one),
        "system": one.system,
        "against": one.against,
        "level": one.level,
        "asked_at": one.asked_at,
        "asked_by": one.asked_by,
        "ended_at": one.ended_at,
        "reconciliation": one.reconciliation_id,
        "trouble": one.trouble,
    }


def _state(one: ReconcileRequest) -> str:
    if one.ended_at is not None:
        return "failed" if one.reconciliation_id is None else "compared"
    return "asked" if one.snapshot_id is None else "comparing"


def _refused(reason: str, pointer: str) -> Problem:
    return Problem(422, "refused", reason, [FieldError(reason, pointer=pointer)])
