"""Postings of which nobody knows whether the target holds them: the list, and a person's word on one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.postings.ledger import PostingState
from app.postings.listing import list_postings
from app.web import parameters
from app.web.decision_acts import decide_posting, decision_of, make_posting_again, reason_of, state_of_query
from app.web.problems import Problem
from app.web.services import services

PAGE = 50


@page("GET", "/postings", VIEWER)
def show_postings() -> ResponseReturnValue:
    here, asked = services(), request.args
    state, target = state_of_query(asked.get("state", "")), parameters.text(asked, "target")
    with here.store.reading() as session:
        found = list_postings(session, state, target, PAGE, parameters.whole_number(asked, "before"))
    return render_template(
        "postings.html",
        page=found,
        state=state.value,
        target=target,
        states=[known.value for known in PostingState],
        targets=list(here.topology.targets),
        older=parameters.next_page(found.before),
        first_page="before" not in asked,
    )


@page("POST", "/postings/<int:posting_id>/decide", OPERATOR)
def decide_one(posting_id: int) -> ResponseReturnValue:
    form = request.form
    otherwise = back_to(url_for("console.show_postings"))
    try:
        decision = decision_of(
            form.get("outcome", ""), form.get("reason", ""), form.get("reference"), form.get("stays_dead") == "yes"
        )
        decided = decide_posting(services(), posting_id, decision, current_identity().actor)
    except Problem as problem:
        flash(problem.detail, "bad")
        return redirect(otherwise, 303)
    message = f"message {decided.message_id} is {decided.message_state}."
    flash(f"Posting {posting_id} is {decided.posting_state}; {message}", "good")
    return redirect(url_for("console.show_message", message_id=decided.message_id), 303)


@page("POST", "/postings/<int:posting_id>/requeue", OPERATOR)
def requeue_posting(posting_id: int) -> ResponseReturnValue:
    otherwise = back_to(url_for("console.show_postings"))
    try:
        reason = reason_of(request.form.get("reason", ""))
        made = make_posting_again(services(), posting_id, reason, current_identity().actor)
    except Problem as problem:
        flash(problem.detail, "bad")
        return redirect(otherwise, 303)
    flash(f"Posting {posting_id} is {made.posting_state}; it is made again.", "good")
    return redirect(url_for("console.show_message", message_id=made.message_id), 303)
