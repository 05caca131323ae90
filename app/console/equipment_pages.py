"""Equipment: in which state it is, in which states it was, and for how long."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.projections.equipment_lists import EQUIPMENT_KEY, list_equipment, list_states, time_in_states
from app.web import parameters
from app.web.masters import told_equipment, told_state, told_times
from app.web.problems import Problem
from app.web.services import services
from app.web.stock import told_behind

PAGE = 100
DAY = timedelta(days=1)


@page("GET", "/equipment", VIEWER)
def show_all_equipment() -> ResponseReturnValue:
    here, asked = services(), request.args
    plant, state = parameters.text(asked, "plant"), parameters.text(asked, "state")
    with here.store.reading() as session:
        rows = list_equipment(session, plant, state, PAGE + 1, parameters.after(asked, len(EQUIPMENT_KEY)))
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        values = {"equipment": [told_equipment(row) for row in rows[:PAGE]], "behind": told_behind(session)}
        more = parameters.next_after((last.plant, last.equipment_id)) if last else None
    plants = list(here.topology.plants)
    return render_template("all_equipment.html", **values, more=more, plants=plants, plant=plant, state=state)


@page("GET", "/equipment/<plant>/<path:equipment_id>", VIEWER)
def show_equipment(plant: str, equipment_id: str) -> ResponseReturnValue:
    here, of_it = services(), (parameters.named(plant), parameters.named(equipment_id))
    now = here.clock()
    with here.store.reading() as session:
        rows = list_equipment(session, of_it[0], None, 1, equipment_id=of_it[1])
        if not rows:
            raise Problem(404, "not_found", f"No message has told of equipment {equipment_id} of plant {plant} yet.")
        values = {
            "one": told_equipment(rows[0]),
            "states": [told_state(row) for row in list_states(session, *of_it, PAGE)],
            "times": told_times(time_in_states(session, *of_it, now - DAY, now)),
            "behind": told_behind(session),
        }
    return render_template("equipment.html", **values, most=PAGE)
