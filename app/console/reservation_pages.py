"""Reservations: what is kept for whom, and the messages that made and ended it."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.projections.reservation_lists import ReservationFilter, list_reservations, uses_of_all
from app.projections.reservation_uses import ReservationState
from app.web import parameters
from app.web.reservations import told_reservation
from app.web.services import services
from app.web.stock import told_behind

PAGE = 100
USES_SHOWN = 5
"""Messages that used a reservation, of each; the API lists all."""


@page("GET", "/reservations", VIEWER)
def show_reservations() -> ResponseReturnValue:
    here, asked = services(), request.args
    states = [state.value for state in ReservationState]
    chosen = ReservationFilter(
        plant=parameters.text(asked, "plant"),
        item=parameters.text(asked, "item"),
        order_id=parameters.text(asked, "order"),
        delivery_id=parameters.text(asked, "delivery"),
        state=parameters.word(asked, "state", states),
    )
    before = parameters.whole_number(asked, "before")
    with here.store.reading() as session:
        rows = list_reservations(session, chosen, PAGE + 1, before)
        uses = uses_of_all(session, [row.id for row in rows[:PAGE]], USES_SHOWN)
        told = [told_reservation(row) | {"uses": uses.get(row.id, [])} for row in rows[:PAGE]]
        values = {"reservations": told, "behind": told_behind(session)}
        older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "reservations.html",
        **values,
        older=parameters.next_page(older),
        first_page=before is None,
        plants=list(here.topology.plants),
        states=states,
        chosen=chosen,
    )
