"""Business exceptions: what did not come or does not add up, and what a person says of it."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.business_exceptions.lookup import (
    STATES,
    UNFINISHED,
    ExceptionPage,
    count_unresolved,
    find_exception,
    list_exceptions,
)
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.web import parameters
from app.web.exceptions import acknowledge_exception, filter_of_query, resolve_exception
from app.web.problems import Problem
from app.web.services import services

PAGE = 50
REASON_LEAST, REASON_MOST = 3, 1_000


@page("GET", "/exceptions", VIEWER)
def show_exceptions() -> ResponseReturnValue:
    """Unresolved ones unless others are asked for; with ``id`` that one, whatever its state."""
    here, asked = services(), request.args
    chosen = filter_of_query(asked)
    one = parameters.whole_number(asked, "id")
    with here.store.reading() as session:
        if one is not None:
            found = find_exception(session, one)
            shown = ExceptionPage([found] if found is not None else [], None)
        else:
            wanted = replace(chosen, states=chosen.states or UNFINISHED)
            shown = list_exceptions(session, wanted, PAGE, parameters.whole_number(asked, "before"))
        rules = sorted({rule for rule, _, _ in count_unresolved(session)} | ({chosen.rule} if chosen.rule else set()))
    return render_template(
        "exceptions.html",
        page=shown,
        chosen=chosen,
        older=parameters.next_page(shown.before),
        first_page="before" not in asked,
        states=STATES,
        rules=rules,
        plants=list(here.topology.plants),
        sources=list(here.topology.sources),
    )


@page("POST", "/exceptions/<int:exception_id>/acknowledge", OPERATOR)
def acknowledge_one(exception_id: int) -> ResponseReturnValue:
    here, reason = services(), request.form.get("reason", "").strip()[:REASON_MOST]
    try:
        acknowledge_exception(here.store, exception_id, current_identity().actor, reason or None, here.clock())
        flash(f"Business exception {exception_id} is acknowledged.", "good")
    except Problem as problem:
        flash(problem.detail, "wait")
    return redirect(back_to(url_for("console.show_exceptions")), 303)


@page("POST", "/exceptions/<int:exception_id>/resolve", OPERATOR)
def resolve_one(exception_id: int) -> ResponseReturnValue:
    here, reason = services(), request.form.get("reason", "").strip()[:REASON_MOST]
    there = redirect(back_to(url_for("console.show_exceptions")), 303)
    if len(reason) < REASON_LEAST:
        flash("Say what became of it; the reason is kept in the trail.", "bad")
        return there
    try:
        resolve_exception(here.store, exception_id, current_identity().actor, reason, here.clock())
        flash(f"Business exception {exception_id} is resolved.", "good")
    except Problem as problem:
        flash(problem.detail, "wait")
    return there
