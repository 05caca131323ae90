"""Webhook subscribers and their deliveries: who is told, how it goes, and stopping, testing and replaying."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.access.roles import Role
from app.console.routing import ADMIN, OPERATOR, VIEWER, page
from app.projections.feed_reading import newest_position
from app.web import parameters
from app.web.problems import Problem
from app.web.services import services
from app.web.webhooks import (
    ReplaySpan,
    Webhooks,
    told_attempts,
    told_delivery,
    told_subscriber,
    webhooks_of,
)
from app.webhooks.deliveries import STATES, attempts_of, find_delivery, list_deliveries
from app.webhooks.subscribers import SubscriberRefused, Wanted, find_subscriber, list_subscribers
from mappings.canonical.registry import SCHEMAS

PAGE = 50
REASON_LEAST, REASON_MOST = 3, 1_000


@page("GET", "/webhooks", VIEWER)
def show_webhooks() -> ResponseReturnValue:
    return _list()


@page("POST", "/webhooks", ADMIN)
def make_webhook() -> ResponseReturnValue:
    """The answer is the page itself and no redirect: the secret is on it, this once."""
    form = request.form
    plants = [form["plant"]] if form.get("plant") else []
    items = [item.strip() for item in form.get("items", "").split(",") if item.strip()]
    try:
        wanted = Wanted(form.getlist("type"), plants, items)
        _, secret = _acts().add(form.get("name", "").strip(), form.get("url", "").strip(), wanted)
    except SubscriberRefused as error:
        flash(f"{error.field}: {error}.", "bad")
        return redirect(url_for("console.show_webhooks"), 303)
    return _list(secret, form.get("name", "").strip())


@page("GET", "/webhooks/<int:subscriber_id>", VIEWER)
def show_webhook(subscriber_id: int) -> ResponseReturnValue:
    asked = request.args
    state, before = parameters.word(asked, "state", STATES), parameters.whole_number(asked, "before")
    one = parameters.whole_number(asked, "delivery")
    with services().store.reading() as session:
        row = find_subscriber(session, subscriber_id) if subscriber_id <= parameters.ID_MOST else None
        if row is None:
            raise Problem(404, "not_found", f"There is no webhook subscriber {subscriber_id}.")
        told = told_subscriber(session, row, newest_position(session))
        if one is None:
            rows = list_deliveries(session, subscriber_id, state, PAGE + 1, before)
        else:
            rows = [found] if (found := find_delivery(session, subscriber_id, one)) is not None else []
        tries = told_attempts(attempts_of(session, one)) if one is not None and rows else []
    return render_template(
        "webhook.html",
        webhook=told,
        deliveries=[told_delivery(row) for row in rows[:PAGE]],
        tries=tries,
        one=one,
        state=state,
        states=STATES,
        older=parameters.next_page(rows[PAGE - 1].id if len(rows) > PAGE else None),
        first_page=before is None,
        may_manage=current_identity().has(Role.ADMIN),
    )


@page("POST", "/webhooks/<int:subscriber_id>/pause", OPERATOR)
def pause_webhook(subscriber_id: int) -> ResponseReturnValue:
    reason = request.form.get("reason", "").strip()[:REASON_MOST]
    if len(reason) < REASON_LEAST:
        return _done(subscriber_id, lambda: ("Say why; the reason is shown to all and kept in the trail.", "bad"))

    def act() -> tuple[str, str]:
        return ("It is paused.", "good") if _acts().pause(subscriber_id, reason) else ("It was paused already.", "wait")

    return _done(subscriber_id, act)


@page("POST", "/webhooks/<int:subscriber_id>/resume", OPERATOR)
def resume_webhook(subscriber_id: int) -> ResponseReturnValue:
    def act() -> tuple[str, str]:
        return ("It goes on.", "good") if _acts().resume(subscriber_id) else ("It was not paused.", "wait")

    return _done(subscriber_id, act)


@page("POST", "/webhooks/<int:subscriber_id>/test", OPERATOR)
def send_test_event(subscriber_id: int) -> ResponseReturnValue:
    def act() -> tuple[str, str]:
        _acts().send_test(subscriber_id)
        return "A test event is sent within seconds; load the page again to see what came of it.", "good"

    return _done(subscriber_id, act)


@page("POST", "/webhooks/<int:subscriber_id>/replay", OPERATOR)
def replay_to_webhook(subscriber_id: int) -> ResponseReturnValue:
    since, until = parameters.moment(request.form, "since"), parameters.moment(request.form, "until")
    if since is None:
        return _done(subscriber_id, lambda: ("Say from when on.", "bad"))

    def act() -> tuple[str, str]:
        done = _acts().replay(subscriber_id, ReplaySpan(since=since, until=until))
        more = f" More follow position {done.next_after}; replay the rest later." if done.next_after is not None else ""
        return f"{done.events} events are sent again, under the same ids.{more}", "good"

    return _done(subscriber_id, act)


def _done(subscriber_id: int, act: Callable[[], tuple[str, str]]) -> ResponseReturnValue:
    text, tone = act()
    flash(text, tone)
    return redirect(url_for("console.show_webhook", subscriber_id=subscriber_id), 303)


def _list(secret: str | None = None, name: str | None = None) -> ResponseReturnValue:
    here = services()
    with here.store.reading() as session:
        newest = newest_position(session)
        rows = [told_subscriber(session, row, newest) for row in list_subscribers(session)]
    shown = render_template(
        "webhooks.html",
        webhooks=rows,
        types=sorted(SCHEMAS),
        plants=list(here.topology.plants),
        may_manage=current_identity().has(Role.ADMIN),
        secret=secret,
        made=name,
    )
    return (shown, 200, {"Cache-Control": "no-store"}) if secret else shown


def _acts() -> Webhooks:
    here = services()
    return webhooks_of(here.store, here.settings, here.topology, current_identity().actor, here.clock())
