"""Crosswalks: what messages wait for, what values become, and what was changed."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.back import back_to
from app.console.routing import OPERATOR, VIEWER, page
from app.crosswalks.changing import Entry
from app.crosswalks.lookup import list_changes, list_entries, list_missing
from app.web import parameters
from app.web.crosswalks import NOTE_MOST, change_crosswalk, tables_of
from app.web.problems import Problem
from app.web.services import services

PAGE = 200
CHANGES = 20


@page("GET", "/crosswalks", VIEWER)
def show_crosswalks() -> ResponseReturnValue:
    """What is missing stands first: it holds messages up. The entries of one system or table, or of all."""
    here, asked = services(), request.args
    system, name = parameters.text(asked, "system"), parameters.text(asked, "name")
    tables = tables_of(here.topology)
    with here.store.reading() as session:
        entries = list_entries(session, system, name, PAGE + 1)
        values = {
            "missing": list_missing(session),
            "entries": entries[:PAGE],
            "more": len(entries) > PAGE,
            "changes": list_changes(session, system, name, CHANGES),
        }
        return render_template(
            "crosswalks.html",
            **values,
            tables=tables,
            names=sorted({each for used in tables.values() for each in used}),
            system=system,
            name=name,
        )


@page("POST", "/crosswalks", OPERATOR)
def change_one() -> ResponseReturnValue:
    """One entry: filled in, changed, or with `remove` taken out."""
    here, form = services(), request.form
    there = redirect(back_to(url_for("console.show_crosswalks")), 303)
    system, _, name = form.get("table", "").partition("/")
    value, becomes = form.get("value", "").strip(), form.get("becomes", "").strip()
    entry = Entry(value, None if form.get("remove") else becomes)
    note = form.get("note", "").strip()[:NOTE_MOST] or None
    actor = current_identity().actor
    try:
        changed = change_crosswalk(here.store, here.topology, system, name, [entry], actor, note, here.clock())
    except Problem as problem:
        flash(problem.detail, "bad")
        return there
    if not changed:
        flash(f"{system}/{name}: nothing to change for {value}.", "wait")
    elif entry.becomes is None:
        flash(f"{system}/{name}: {value} is taken out.", "good")
    else:
        flash(f"{system}/{name}: {value} becomes {becomes}. What waited for it goes on.", "good")
    return there
