"""The first page: how each plant is doing."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.routing import OPERATOR, VIEWER, page
from app.inbox.figures import IN_PROGRESS, PlantFigures, plant_figures
from app.inbox.states import State
from app.postings.pauses import list_target_pauses
from app.web.services import services
from app.web.target_acts import resume


@page("GET", "/", VIEWER)
def show_overview() -> ResponseReturnValue:
    here = services()
    now = here.clock()
    with here.store.reading() as session:
        figures = plant_figures(session, tuple(here.topology.plants), now)
        pauses = list_target_pauses(session)
    level = here.topology.service_levels.get("accept_to_posted_seconds")
    late = {
        plant.plant
        for plant in figures
        if level is not None and plant.oldest_at is not None and (now - plant.oldest_at).total_seconds() > level
    }
    return render_template(
        "overview.html",
        plants=figures,
        names={code: plant.name for code, plant in here.topology.plants.items()},
        total=_total(figures),
        pauses=pauses,
        late=late,
        level=level,
        now=now,
        in_progress=",".join(IN_PROGRESS),
        unfinished=",".join((*IN_PROGRESS, State.WAITING)),
    )


def _total(figures: list[PlantFigures]) -> PlantFigures:
    counts: dict[str, int] = {}
    for plant in figures:
        for state, count in plant.counts.items():
            counts[state] = counts.get(state, 0) + count
    return PlantFigures("", counts)


@page("POST", "/targets/<code>/resume", OPERATOR)
def resume_target(code: str) -> ResponseReturnValue:
    woken = resume(services(), code, current_identity().actor)
    if woken is None:
        flash(f"Target {code} is not paused.", "wait")
    else:
        flash(f"Target {code} resumed; {woken} waiting messages are due again.", "good")
    return redirect(url_for("console.show_overview"), 303)
