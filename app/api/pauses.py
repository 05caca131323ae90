"""Pause and resume plants and targets."""

from __future__ import annotations

from collections.abc import Collection

from flask import Response, jsonify
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.admin_bodies import PauseBody, read_body
from app.api.openapi_parts import done, json_request, problems
from app.api.routing import route
from app.api.schemas import PausingSchema, PlantStateSchema, ResumedSchema, TargetStateSchema
from app.web.pause_acts import go_on, start_plant, start_target, stop_plant, stop_target
from app.web.problems import Problem
from app.web.services import services

blueprint = Blueprint("pauses", __name__, description="Stop plants and targets, and let them go on.")

REFUSALS = ("401", "403", "404", "409", "503")


@route(
    blueprint,
    "POST",
    "/v1/admin/plants/<code>/pause",
    at_least(Role.OPERATOR),
    summary="Take a plant's messages and work on none",
    requestBody=json_request(PausingSchema),
    responses={**done("It is paused", PlantStateSchema), **problems("400", "413", "415", "422", *REFUSALS)},
)
def pause_one_plant(code: str) -> Response:
    here = services()
    reason = read_body(PauseBody)["reason"]
    _must_know(code, here.topology.plants, "plant")
    if not stop_plant(here.store, code, reason, current_identity().actor, here.clock()):
        raise Problem(409, "not_possible", f"Plant {code} is paused already.")
    return jsonify({"plant": code, "paused": True})


@route(
    blueprint,
    "POST",
    "/v1/admin/plants/<code>/resume",
    at_least(Role.OPERATOR),
    summary="Let a paused plant's messages go on",
    responses={**done("It goes on", PlantStateSchema), **problems(*REFUSALS)},
)
def resume_one_plant(code: str) -> Response:
    here = services()
    if start_plant(here.store, code, current_identity().actor, here.clock()):
        go_on(here, code)
        return jsonify({"plant": code, "paused": False})
    _must_know(code, here.topology.plants, "plant")
    raise Problem(409, "not_possible", f"Plant {code} is not paused.")


@route(
    blueprint,
    "POST",
    "/v1/admin/targets/<code>/pause",
    at_least(Role.OPERATOR),
    summary="Post nothing to a target",
    requestBody=json_request(PausingSchema),
    responses={**done("It is paused", TargetStateSchema), **problems("400", "413", "415", "422", *REFUSALS)},
)
def pause_one_target(code: str) -> Response:
    here = services()
    reason = read_body(PauseBody)["reason"]
    _must_know(code, here.topology.targets, "target")
    if not stop_target(here.store, code, reason, current_identity().actor, here.clock()):
        raise Problem(409, "not_possible", f"Target {code} is paused already.")
    return jsonify({"target": code, "paused": True})


@route(
    blueprint,
    "POST",
    "/v1/admin/targets/<code>/resume",
    at_least(Role.OPERATOR),
    summary="Let a paused target have its postings again, or try one that is left alone at once",
    responses={**done("What waited for it is due", ResumedSchema), **problems(*REFUSALS)},
)
def resume_one_target(code: str) -> Response:
    here = services()
    woken = start_target(here.store, code, current_identity().actor, here.clock())
    if woken is not None:
        go_on(here)
        return jsonify({"target": code, "due_again": woken})
    _must_know(code, here.topology.targets, "target")
    raise Problem(409, "not_possible", f"Target {code} is neither paused nor left alone.")


def _must_know(code: str, known: Collection[str], what: str) -> None:
    if code not in known:
        raise Problem(404, "not_found", f"The topology knows no {what} {code}.")
