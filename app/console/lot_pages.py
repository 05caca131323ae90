"""A lot and its genealogy, up and down."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.projections.lot_accounts import items_of_lot
from app.projections.lot_trace import Direction
from app.web import parameters
from app.web.lots import told_trace, trace_lot
from app.web.services import services
from app.web.stock import told_behind

LOTS = 300


@page("GET", "/lots", VIEWER)
def find_lot() -> ResponseReturnValue:
    """The lot that is asked for; where several items have one of that name, their choice."""
    lot = parameters.text(request.args, "lot", 80)
    with services().store.reading() as session:
        items = items_of_lot(session, lot) if lot else []
        behind = told_behind(session)
    if lot and len(items) == 1:
        return redirect(url_for("console.show_lot", item=items[0], lot=lot), 303)
    return render_template("lots.html", lot=lot, items=items, behind=behind)


@page("GET", "/lots/trace", VIEWER)
def show_lot() -> ResponseReturnValue:
    asked = request.args
    lot, item = parameters.text(asked, "lot", 80) or "", parameters.text(asked, "item", 80)
    with services().store.reading() as session:
        traces = {
            direction.value: told_trace(trace_lot(session, lot, item, direction, LOTS), direction)
            for direction in Direction
        }
        behind = told_behind(session)
    return render_template("lot.html", lot=lot, item=item, behind=behind, most=LOTS, **traces)
