"""Who did what."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.audit.trail import read_trail
from app.console.routing import VIEWER, page
from app.web import parameters
from app.web.services import services

PAGE = 100


@page("GET", "/audit", VIEWER)
def show_trail() -> ResponseReturnValue:
    before = parameters.whole_number(request.args, "before")
    with services().store.reading() as session:
        entries = read_trail(session, PAGE + 1, before, parameters.text(request.args, "actor"))
    last = entries[PAGE - 1].id if len(entries) > PAGE else None
    return render_template(
        "audit.html", entries=entries[:PAGE], older=parameters.next_page(last), first_page=before is None
    )
