"""Queues, paused targets and the trail, for operators' scripts."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.routing import route
from app.api.schemas import QueuesSchema, ResumedSchema, TrailSchema
from app.audit.trail import read_trail
from app.inbox.figures import PlantFigures, plant_figures
from app.inbox.lookup import PAGE_MOST
from app.postings.pauses import list_target_pauses
from app.web import parameters
from app.web.problems import Problem
from app.web.services import services
from app.web.target_acts import resume

blueprint = Blueprint("operations", __name__, description="Queues, targets and the trail.")


@route(
    blueprint,
    "GET",
    "/v1/admin/queues",
    at_least(Role.VIEWER),
    summary="Messages per plant and state, the oldest of them, latency, paused targets",
    responses={**done("The figures", QueuesSchema), **problems("401", "403")},
)
def show_queues() -> Response:
    here = services()
    with here.store.reading() as session:
        figures = plant_figures(session, tuple(here.topology.plants), here.clock())
        pauses = list_target_pauses(session)
    return jsonify(
        {
            "plants": [_plant(plant) for plant in figures],
            "paused_targets": [
                {"target": pause.target, "paused_at": instant(pause.paused_at), "reason": pause.reason}
                for pause in pauses
            ],
        }
    )


def _plant(figures: PlantFigures) -> dict[str, Any]:
    return {
        "plant": figures.plant,
        "accepted": figures.accepted,
        "states": figures.counts,
        "oldest_received_at": {state: instant(at) for state, at in figures.oldest.items()},
        "latency_seconds": {
            "p50": figures.latency_p50,
            "p95": figures.latency_p95,
            "messages": figures.latency_messages,
        },
    }


@route(
    blueprint,
    "POST",
    "/v1/admin/targets/<code>/resume",
    at_least(Role.OPERATOR),
    summary="Let a paused target have its postings again",
    responses={**done("What waited for it is due", ResumedSchema), **problems("401", "403", "404", "409", "503")},
)
def resume_paused_target(code: str) -> Response:
    here = services()
    woken = resume(here, code, current_identity().actor)
    if woken is not None:
        return jsonify({"target": code, "due_again": woken})
    if code not in here.topology.targets:
        raise Problem(404, "not_found", f"The topology knows no target {code}.")
    raise Problem(409, "not_possible", f"Target {code} is not paused.")


@route(
    blueprint,
    "GET",
    "/v1/admin/audit",
    at_least(Role.VIEWER),
    summary="Who did what, newest first",
    parameters=[query("actor", "Who"), query("action", "Such as `dead_letter.requeued`"), *PAGING],
    responses={**done("A page", TrailSchema), **problems("401", "403", "422")},
)
def show_trail() -> Response:
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    with services().store.reading() as session:
        entries = read_trail(
            session,
            limit + 1,
            parameters.whole_number(asked, "before"),
            parameters.text(asked, "actor"),
            parameters.text(asked, "action"),
        )
    rows = [
        {
            "id": entry.id,
            "at": instant(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
        for entry in entries[:limit]
    ]
    last = entries[limit - 1].id if len(entries) > limit else None
    return jsonify({"entries": rows, "next": parameters.next_page(last)})
