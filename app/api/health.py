"""Is it alive, is it ready, and how much is there to do: for load balancers and Prometheus."""

from __future__ import annotations

from flask import Response, jsonify
from flask_smorest import Blueprint

from app.access.policy import PUBLIC, at_least
from app.access.roles import Role
from app.api.openapi_parts import done, problems
from app.api.routing import route
from app.api.schemas import HealthSchema
from app.business_exceptions.lookup import count_unresolved
from app.inbox.figures import UNFINISHED, plant_figures
from app.inbox.states import STEP_OF, State, Step
from app.postings.pauses import read_pauses
from app.postings.room import known_targets
from app.projections.measures import durations_of, outcomes_of, read_totals
from app.store.revision import current_revision, newest_revision
from app.telemetry.metrics import Figures, render
from app.web.problems import Problem
from app.web.services import Services, services
from app.webhooks.deliveries import undelivered_figures

blueprint = Blueprint("health", __name__, description="For load balancers and Prometheus.")


@route(blueprint, "GET", "/healthz", PUBLIC, summary="The process answers", responses=done("It does", HealthSchema))
def show_health() -> Response:
    return jsonify({"status": "ok"})


@route(
    blueprint,
    "GET",
    "/readyz",
    PUBLIC,
    summary="Messages can be taken",
    responses={**done("They can", HealthSchema), **problems("503")},
)
def show_readiness() -> Response:
    """The database answers and has the newest schema."""
    if current_revision(services().store) != newest_revision():
        raise Problem(503, "unavailable", "The database does not have the newest schema; run `lineside up`.")
    return jsonify({"status": "ok"})


@route(
    blueprint,
    "GET",
    "/metrics",
    at_least(Role.VIEWER, or_loopback=True),
    summary="Metrics in the text format of Prometheus",
    responses={"200": {"description": "The metrics", "content": {"text/plain": {}}}, **problems("401", "403")},
)
def show_metrics() -> Response:
    """Without credentials from this machine only; from elsewhere with an account, over TLS."""
    body, content_type = render(_figures(services()))
    return Response(body, content_type=content_type)


def _figures(here: Services) -> Figures:
    now = here.clock()
    with here.store.reading() as session:
        plants = plant_figures(session, tuple(here.topology.plants), now)
        circuits = known_targets(session, here.topology.targets, now)
        paused, _ = read_pauses(session)
        exceptions = count_unresolved(session)
        totals = read_totals(session)
        webhooks = undelivered_figures(session, now)
    backlog = {
        (plant.plant, STEP_OF[state].value if state in STEP_OF else "any", state.value): plant.count(state)
        for plant in plants
        for state in UNFINISHED
        if state is not State.DEAD
    }
    backlog |= {(plant.plant, Step.POST.value, State.POSTED.value): plant.trailing for plant in plants}
    ages = {
        (plant.plant, state): max(0.0, (now - at).total_seconds())
        for plant in plants
        for state, at in plant.oldest.items()
    }
    return Figures(
        backlog,
        ages,
        {plant.plant: plant.count(State.DEAD) for plant in plants},
        {code: known.circuit.state.value for code, known in circuits.items()},
        {plant: plant in paused for plant in here.topology.plants},
        exceptions,
        webhooks,
        durations_of(totals),
        outcomes_of(totals),
    )
