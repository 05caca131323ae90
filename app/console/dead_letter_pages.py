"""Dead letters: what needs a person, and what the person can do."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlencode

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.dead_letters.impact_lists import Sort, list_letters
from app.dead_letters.selection import DeadFilter
from app.dead_letters.subject import KINDS
from app.inbox.figures import count_reasons
from app.web.dead_letter_acts import count_matching, discard_ids, requeue_filtered, requeue_ids, reverse_message
from app.web.dead_letter_filter import filter_of_query, next_of, place_of_query, sort_of_query
from app.web.impacts import told_impact
from app.web.problems import Problem
from app.web.services import services

PAGE = 50
REASON_LEAST = 3
REASON_MOST = 1_000


@page("GET", "/dead-letters", VIEWER)
def show_dead_letters() -> ResponseReturnValue:
    here, asked = services(), request.args
    chosen, sort, now = filter_of_query(asked), sort_of_query(asked, Sort.IMPACT), here.clock()
    with here.store.reading() as session:
        page = list_letters(session, chosen, sort, PAGE, place_of_query(asked, sort))
        reasons = count_reasons(session, chosen.plant)
    return render_template(
        "dead_letters.html",
        letters=[(each.message, told_impact(each.impact, now)) for each in page.letters],
        sort=sort.value,
        sorts=[one.value for one in Sort],
        kinds=KINDS,
        chosen=chosen,
        reasons=reasons,
        matching=count_matching(here, chosen),
        older=next_of(page, sort),
        first_page="before" not in asked and "after" not in asked,
        filter_query=urlencode(filter_fields(chosen)),
        plants=list(here.topology.plants),
        sources=list(here.topology.sources),
    )


def filter_fields(chosen: DeadFilter) -> dict[str, str]:
    """The filter as the fields of a form or a query."""
    given = {name: value for name, value in asdict(chosen).items() if value}
    return {name: value if isinstance(value, str) else value.isoformat() for name, value in given.items()}


@page("GET", "/dead-letters/requeue", OPERATOR)
def ask_requeue() -> ResponseReturnValue:
    """Say how many it would be, before anything is done."""
    chosen = filter_of_query(request.args)
    fields = filter_fields(chosen)
    return render_template(
        "requeue.html", count=count_matching(services(), chosen), fields=fields, back=back_to_list(fields)
    )


def back_to_list(fields: dict[str, str]) -> str:
    return url_for("console.show_dead_letters") + (f"?{urlencode(fields)}" if fields else "")


@page("POST", "/dead-letters/requeue", OPERATOR)
def requeue_matching() -> ResponseReturnValue:
    chosen = filter_of_query(request.form)
    acted = requeue_filtered(services(), chosen, current_identity().actor)
    more = " More of them match: repeat to go on." if acted.more else ""
    flash(f"{acted.count} dead letters are due again.{more}", "good" if acted.count else "wait")
    return redirect(back_to_list(filter_fields(chosen)), 303)


@page("POST", "/dead-letters/<int:message_id>/requeue", OPERATOR)
def requeue_one(message_id: int) -> ResponseReturnValue:
    why = request.form.get("out_of_order", "").strip()
    if "out_of_order" in request.form and not REASON_LEAST <= len(why) <= REASON_MOST:
        flash("Say why it may take effect out of order; the reason is kept with the message.", "bad")
        return redirect(url_for("console.show_message", message_id=message_id), 303)
    acted = requeue_ids(services(), [message_id], current_identity().actor, why or None)
    if acted.count:
        flash(f"Message {message_id} is due again.", "good")
    else:
        flash(f"Message {message_id} is no dead letter any more; somebody was quicker.", "wait")
    return redirect(back_to(url_for("console.show_message", message_id=message_id)), 303)


@page("POST", "/dead-letters/<int:message_id>/discard", OPERATOR)
def discard_one(message_id: int) -> ResponseReturnValue:
    there = url_for("console.show_message", message_id=message_id)
    reason = request.form.get("reason", "").strip()
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        flash("Say why it is discarded; the reason is kept with the message.", "bad")
        return redirect(there, 303)
    try:
        acted = discard_ids(services(), [message_id], current_identity().actor, reason)
    except Problem as problem:
        flash(problem.detail, "bad")
        return redirect(there, 303)
    flash(f"Message {message_id} is discarded." if acted.count else f"Message {message_id} is no dead letter.", "good")
    return redirect(there, 303)


@page("POST", "/messages/<int:message_id>/reverse", OPERATOR)
def reverse_one(message_id: int) -> ResponseReturnValue:
    there = url_for("console.show_message", message_id=message_id)
    reason = request.form.get("reason", "").strip()
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        flash("Say why it is reversed; the reason is kept with the message.", "bad")
        return redirect(there, 303)
    try:
        by_hand = request.form.get("by_hand") == "yes"
        reverse_message(services(), message_id, reason, current_identity().actor, by_hand)
    except Problem as problem:
        flash(problem.detail, "bad")
        return redirect(there, 303)
    flash(f"The reversal of message {message_id} is due.", "good")
    return redirect(there, 303)
