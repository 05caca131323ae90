"""Reconciliations: where a system differs from what was reported, and which messages make the difference."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.reconcile.proposals import list_proposals
from app.reconcile.reports import find_report, list_differences, list_reports
from app.web import parameters
from app.web.problems import Problem
from app.web.proposals import told_proposal
from app.web.reconciliations import told_difference, told_fixes, told_report
from app.web.services import services

PAGE = 50
DIFFERENCES = 200


@page("GET", "/reconciliations", VIEWER)
def show_reconciliations() -> ResponseReturnValue:
    here, asked = services(), request.args
    system, before = parameters.text(asked, "system"), parameters.whole_number(asked, "before")
    with here.store.reading() as session:
        rows = list_reports(session, system, PAGE + 1, before)
        told = [told_report(row) for row in rows[:PAGE]]
        older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "reconciliations.html",
        reports=told,
        systems=sorted({*here.topology.targets, *here.topology.sources}),
        system=system,
        older=parameters.next_page(older),
        first_page=before is None,
    )


@page("GET", "/reconciliations/<int:report_id>", VIEWER)
def show_reconciliation(report_id: int) -> ResponseReturnValue:
    unexplained = parameters.is_set(request.args, "unexplained")
    with services().store.reading() as session:
        found = find_report(session, report_id) if report_id <= parameters.ID_MOST else None
        if found is None:
            raise Problem(404, "not_found", f"There is no reconciliation {report_id}.")
        rows = list_differences(session, report_id, DIFFERENCES + 1, unexplained=unexplained)
        topology, report = services().topology, found.report
        values: dict[str, Any] = {
            "report": told_report(report, found),
            "differences": [
                {**told_difference(row), "fixes": told_fixes(topology, report, row)} for row in rows[:DIFFERENCES]
            ],
            "proposals": [told_proposal(one) for one in list_proposals(session, PAGE, report_id=report_id)],
        }
    fixes = (fix["kind"] for one in values["differences"] for fix in one["fixes"])
    values["may_adjust"] = "adjust" in fixes
    return render_template("reconciliation.html", **values, more=len(rows) > DIFFERENCES, unexplained=unexplained)
