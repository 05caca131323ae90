"""Business exceptions: what did not come or does not add up, and what a person says of it."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.business_exceptions.lookup import (
    STATES,
    UNFINISHED,
    count_unresolved,
    find_exception,
    list_exceptions,
    notices_of,
)
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.store.exception_tables import BusinessException
from app.web import parameters
from app.web.exceptions import acknowledge_exception, filter_of_query, resolve_exception, told_notice
from app.web.problems import Problem
from app.web.services import services
from config.exception_terms import SEVERITIES

PAGE = 50
REASON_LEAST, REASON_MOST = 3, 1_000


@page("GET", "/exceptions", VIEWER)
def show_exceptions() -> ResponseReturnValue:
    """Unresolved ones unless others are asked for; with ``id`` that one, whatever its state."""
    here, asked = services(), request.args
    chosen = filter_of_query(asked)
    if (one := parameters.whole_number(asked, "id")) is not None:
        return show_exception(one)
    with here.store.reading() as session:
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
        severities=SEVERITIES,
        owners=list(here.topology.exceptions.owners),
    )


@page("GET", "/exceptions/<int:exception_id>", VIEWER)
def show_exception(exception_id: int) -> ResponseReturnValue:
    """One, with its messages, what it is about, and who was told of it."""
    with services().store.reading() as session:
        found = find_exception(session, exception_id) if exception_id <= parameters.ID_MOST else None
        if found is None:
            raise Problem(404, "not_found", f"There is no business exception {exception_id}.")
        notices = [told_notice(notice) for notice in notices_of(session, exception_id)]
    return render_template("exception.html", one=found, notices=notices, there=_place_of(found))


def _place_of(found: BusinessException) -> str | None:
    """The page of the business object that it is about."""
    kind, code, plant = found.object_type, found.object_id, found.plant
    if not code or not plant:
        return None
    if kind == "production_order":
        return url_for("console.show_order", plant=plant, order_id=code)
    if kind == "item":
        return url_for("console.show_item_stock", plant=plant, item=code)
    return url_for("console.find_lot", lot=code) if kind == "lot" else None


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
