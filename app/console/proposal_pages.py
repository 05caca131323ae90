"""Proposals: what one person wants adjusted, and what another says of it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.reconcile.proposals import STATES, is_same_person, list_proposals
from app.web import parameters
from app.web.dead_letter_acts import nudge_plants
from app.web.problems import Problem
from app.web.proposals import (
    REASON_LEAST,
    REASON_MOST,
    approve_proposal,
    preview_fix,
    propose_fix,
    reject_proposal,
    requeue_dead_of,
    told_proposal,
)
from app.web.services import services

PAGE = 50
NUMBER_MOST = 10_000_000


@page("GET", "/proposals", VIEWER)
def show_proposals() -> ResponseReturnValue:
    asked, actor = request.args, current_identity().actor
    state, before = parameters.word(asked, "state", STATES), parameters.whole_number(asked, "before")
    with services().store.reading() as session:
        rows = list_proposals(session, PAGE + 1, before, state)
        told = [{**told_proposal(row), "is_own": is_same_person(row.proposed_by, actor)} for row in rows[:PAGE]]
        older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "proposals.html",
        proposals=told,
        states=STATES,
        state=state,
        older=parameters.next_page(older),
        first_page=before is None,
    )


@page("GET", "/reconciliations/<int:report_id>/propose", OPERATOR)
def ask_proposal(report_id: int) -> ResponseReturnValue:
    """Say what it would be, before anything is proposed."""
    here, kind = services(), request.args.get("kind", "")
    number = parameters.whole_number(request.args, "number", NUMBER_MOST) or 0
    if kind not in ("take_over", "adjust") or report_id > parameters.ID_MOST:
        raise Problem(404, "not_found", "There is no such proposal to be made.")
    try:
        plan = preview_fix(here.store, here.topology, report_id, kind, number)
    except Problem as problem:
        flash(problem.detail, "wait")
        return redirect(url_for("console.show_reconciliation", report_id=report_id), 303)
    return render_template("propose.html", plan=plan, kind=kind, number=number, report_id=report_id)


@page("POST", "/reconciliations/<int:report_id>/propose", OPERATOR)
def propose_one(report_id: int) -> ResponseReturnValue:
    here, form, reason = services(), request.form, _reason()
    number = parameters.whole_number(form, "number", NUMBER_MOST) or 0
    there = redirect(url_for("console.show_reconciliation", report_id=report_id), 303)
    if len(reason) < REASON_LEAST:
        flash("Say why; the reason is kept in the trail.", "bad")
        return there
    try:
        kind = "take_over" if form.get("kind") == "take_over" else "adjust"
        actor = current_identity().actor
        told = propose_fix(here.store, here.topology, report_id, kind, number, reason, actor, here.clock)
        flash(f"Proposed as {told['id']}; another person approves it.", "good")
    except Problem as problem:
        flash(problem.detail, "wait")
    return there


@page("POST", "/proposals/<int:proposal_id>/approve", OPERATOR)
def approve_one(proposal_id: int) -> ResponseReturnValue:
    here, actor = services(), current_identity().actor
    try:
        told = approve_proposal(
            here.store, here.topology, here.nudges, proposal_id, _reason() or None, actor, here.clock
        )
        left = told["outcome"]["left_out"]
        more = f" {left} were left out: they are not as they were proposed." if left else ""
        flash(f"{told['outcome']['messages']} adjustments are in the inbox.{more}", "wait" if left else "good")
    except Problem as problem:
        flash(problem.detail, "wait")
    return redirect(back_to(url_for("console.show_proposals")), 303)


@page("POST", "/proposals/<int:proposal_id>/reject", OPERATOR)
def reject_one(proposal_id: int) -> ResponseReturnValue:
    here, reason = services(), _reason()
    there = redirect(back_to(url_for("console.show_proposals")), 303)
    if len(reason) < REASON_LEAST:
        flash("Say why; the reason is kept in the trail.", "bad")
        return there
    try:
        reject_proposal(here.store, proposal_id, reason, current_identity().actor, here.clock)
        flash(f"Proposal {proposal_id} is rejected.", "good")
    except Problem as problem:
        flash(problem.detail, "wait")
    return there


@page("POST", "/reconciliations/<int:report_id>/differences/<int:number>/requeue", OPERATOR)
def requeue_its_dead(report_id: int, number: int) -> ResponseReturnValue:
    here, actor = services(), current_identity().actor
    try:
        ids = requeue_dead_of(
            here.store, lambda moved: nudge_plants(here, moved), report_id, number, actor, here.clock, dry=False
        )
        flash(f"{len(ids)} dead letters are due again.", "good" if ids else "wait")
    except Problem as problem:
        flash(problem.detail, "wait")
    return redirect(url_for("console.show_reconciliation", report_id=report_id), 303)


def _reason() -> str:
    return request.form.get("reason", "").strip()[:REASON_MOST]
