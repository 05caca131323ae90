"""The first page: how each plant is doing."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.access.identity import current_identity
from app.console.routing import OPERATOR, VIEWER, page
from app.inbox.figures import IN_PROGRESS, PlantFigures, plant_figures
from app.inbox.states import State
from app.postings.listing import COUNT_MOST, unknown_figures
from app.postings.pauses import list_target_pauses, plant_pauses
from app.postings.target_figures import target_figures
from app.web.pause_acts import go_on, start_plant, start_target, stop_plant, stop_target
from app.web.services import services

REASON_LEAST, REASON_MOST = 3, 1_000


@page("GET", "/", VIEWER)
def show_overview() -> ResponseReturnValue:
    here = services()
    now = here.clock()
    with here.store.reading() as session:
        figures = plant_figures(session, tuple(here.topology.plants), now)
        targets = target_figures(session, here.topology.targets, now)
        unknown = unknown_figures(session)
        pauses, paused_plants = list_target_pauses(session), plant_pauses(session)
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
        paused_plants=paused_plants,
        targets=targets,
        unknown=unknown,
        counted_most=COUNT_MOST,
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


def _back() -> ResponseReturnValue:
    return redirect(url_for("console.show_overview"), 303)


def _reason() -> str | None:
    """What the person gave as the reason; None where that says nothing."""
    reason = request.form.get("reason", "").strip()[:REASON_MOST]
    if len(reason) >= REASON_LEAST:
        return reason
    flash(f"Say why, in {REASON_LEAST} characters or more; others will read it.", "wait")
    return None


@page("POST", "/targets/<code>/resume", OPERATOR)
def resume_target(code: str) -> ResponseReturnValue:
    here = services()
    woken = start_target(here.store, code, current_identity().actor, here.clock())
    if woken is None:
        flash(f"Target {code} is neither paused nor left alone.", "wait")
    else:
        go_on(here)
        flash(f"Target {code} resumed; {woken} waiting messages are due again.", "good")
    return _back()


@page("POST", "/targets/<code>/pause", OPERATOR)
def pause_target(code: str) -> ResponseReturnValue:
    here, reason = services(), _reason()
    if code not in here.topology.targets:
        flash(f"The topology knows no target {code}.", "wait")
    elif reason is not None and stop_target(here.store, code, reason, current_identity().actor, here.clock()):
        flash(f"Target {code} is paused: its messages wait.", "good")
    return _back()


@page("POST", "/plants/<code>/pause", OPERATOR)
def pause_plant(code: str) -> ResponseReturnValue:
    here, reason = services(), _reason()
    if code not in here.topology.plants:
        flash(f"The topology knows no plant {code}.", "wait")
    elif reason is not None and stop_plant(here.store, code, reason, current_identity().actor, here.clock()):
        flash(f"Plant {code} is paused: its messages are taken and not worked on.", "good")
    return _back()


@page("POST", "/plants/<code>/resume", OPERATOR)
def resume_plant(code: str) -> ResponseReturnValue:
    here = services()
    if start_plant(here.store, code, current_identity().actor, here.clock()):
        go_on(here, code)
        flash(f"Plant {code} goes on.", "good")
    return _back()
