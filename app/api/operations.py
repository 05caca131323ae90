"""Queues, targets and the trail, for operators' scripts."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.message_wire import instant
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.routing import route
from app.api.schemas import QueuesSchema, TrailSchema
from app.audit.trail import read_trail
from app.inbox.figures import PlantFigures, plant_figures
from app.inbox.lookup import PAGE_MOST
from app.postings.pauses import list_target_pauses, plant_pauses
from app.postings.target_figures import TargetFigures, target_figures
from app.store.target_tables import PlantPause, TargetPause
from app.web import parameters
from app.web.services import services

blueprint = Blueprint("operations", __name__, description="Queues, targets and the trail.")


@route(
    blueprint,
    "GET",
    "/v1/admin/queues",
    at_least(Role.VIEWER),
    summary="Messages per plant and state, the oldest of them, latency; targets and what is paused",
    responses={**done("The figures", QueuesSchema), **problems("401", "403")},
)
def show_queues() -> Response:
    here = services()
    with here.store.reading() as session:
        figures = plant_figures(session, tuple(here.topology.plants), here.clock())
        targets = target_figures(session, here.topology.targets, here.clock())
        pauses, plants = list_target_pauses(session), plant_pauses(session)
    return jsonify(
        {
            "plants": [{**_plant(plant), "paused": _pause(plants.get(plant.plant))} for plant in figures],
            "targets": [_target(target) for target in targets],
            "paused_targets": [{"target": pause.target, **(_pause(pause) or {})} for pause in pauses],
        }
    )


def _pause(pause: TargetPause | PlantPause | None) -> dict[str, Any] | None:
    if pause is None:
        return None
    return {"paused_at": instant(pause.paused_at), "reason": pause.reason, "actor": pause.actor}


def _target(figures: TargetFigures) -> dict[str, Any]:
    circuit = figures.circuit
    return {
        "target": figures.target,
        "circuit": circuit.state.value,
        "failures": circuit.failures,
        "opened_at": None if circuit.opened_at is None else instant(circuit.opened_at),
        "retry_at": None if circuit.retry_at is None else instant(circuit.retry_at),
        "calls": figures.calls,
        "calls_in_flight": figures.calls_in_flight,
        "tokens": figures.tokens,
        "paused": _pause(figures.pause),
    }


def _plant(figures: PlantFigures) -> dict[str, Any]:
    return {
        "plant": figures.plant,
        "accepted": figures.accepted,
        "states": figures.counts,
        "trailing": figures.trailing,
        "oldest_received_at": {state: instant(at) for state, at in figures.oldest.items()},
        "latency_seconds": {
            "p50": figures.latency_p50,
            "p95": figures.latency_p95,
            "messages": figures.latency_messages,
        },
    }


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
