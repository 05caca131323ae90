"""Measures for the business: how long things took, how many needed a hand, whether the service level was kept."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.measure_schemas import MeasuresSchema
from app.api.openapi_parts import done, problems, query
from app.api.reading import IF_NONE_MATCH, one_answer, told_values
from app.api.routing import route
from app.projections.processes import Process
from app.web.measures import GROUPS, question_of_query, told_measures
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("measures", __name__, description="Measures by plant, process and day.")


@route(
    blueprint,
    "GET",
    "/v1/measures",
    at_least(Role.VIEWER),
    summary="Latency, timeliness, resolution, attainment and trends by plant, process and day",
    parameters=[
        query("plant", "The plants' codes, parted by commas; all unless told"),
        query("process", f"Parted by commas: {', '.join(process.value for process in Process)}; all unless told"),
        query("from", "The first day, such as 2026-03-01; seven days before `to` unless told", format="date"),
        query("to", "The last day; today unless told", format="date"),
        query("group", f"By what, parted by commas: {', '.join(GROUPS)}; plant,process unless told"),
        IF_NONE_MATCH,
    ],
    responses={
        **done("Measures by group", MeasuresSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def show_measures() -> Response:
    """Histograms of a span are added up, and percentiles read from the sum: no average of averages. A day is the
    plant's own. A message counts on the day it ended."""
    here = services()
    asked = question_of_query(request.args, here.topology, here.clock())
    with here.store.reading() as session:
        told = told_measures(session, asked, here.topology.service_levels.get("accept_to_posted_seconds"))
        return one_answer(told | {"behind": told_values(told_behind(session))})
