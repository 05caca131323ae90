"""Process calls: done now where it matters, with the answer of the targets, or kept and told where to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.openapi_parts import done, problems
from app.api.process_calls import made_call, pointer_of, read_data, refused
from app.api.process_schemas import (
    PARAMETERS,
    POSTED,
    RELEASE_RESERVATION,
    RESERVE,
    WAITING,
    Process,
    ProcessOutcomeSchema,
    ReleaseBodySchema,
    ReserveBodySchema,
    ReservedSchema,
    body_of,
)
from app.api.reading import told_values
from app.api.routing import route
from app.inbox.accept import Incoming
from app.inbox.lookup import find_message
from app.processes.accepting import Taken, take_call
from app.processes.checks import Call
from app.processes.refusal import CallRefused
from app.processes.reserving import ended_event, event_body, find_reservation, reservation_code
from app.projections.reservation_uses import ReservationState
from app.telemetry.metrics import observe_acceptances
from app.web.outcome_watch import Waited
from app.web.prefer import wished_wait_seconds
from app.web.problems import FieldError, Problem
from app.web.process_outcomes import failure, told_outcome, why_not_soon
from app.web.reservations import told_reservation
from app.web.services import Services, services
from app.web.stock import told_behind
from mappings.canonical import contract

blueprint = Blueprint("processes", __name__, description="What is to be done now, with the answer of the targets.")

CALLER = at_least(Role.OPERATOR, or_source_key=True)
RETRY_AFTER_SECONDS = 2
_REFUSALS = problems("400", "401", "403", "409", "413", "415", "422", "503")


def _serve(process: Process) -> None:
    """One route for each process that ends in its targets."""

    def call_process() -> Response:
        now = services().clock()
        body, data = read_data()
        return _answer(process, *_take(process, *made_call(process.type, body, data, data, now)))

    call_process.__name__ = process.name.replace("-", "_")
    call_process.__doc__ = (
        f"The body is the data of `{process.type}` (`/v1/schemas/{process.type}`); without `event_time` it happens "
        "now. 200 once every required target has it, 202 where that takes longer, 409 where the present state is "
        "against it, 422 where it is wrong or a target has refused it."
    )
    declare: Callable[[Any], Any] = route(
        blueprint,
        "POST",
        f"/v1/processes/{process.name}",
        CALLER,
        summary=process.summary,
        parameters=[*PARAMETERS, *WAITING],
        requestBody=body_of(process, contract.json_schema(process.type)),
        responses={
            **done("Every required target has it", ProcessOutcomeSchema),
            **done("It is kept and goes on by itself", ProcessOutcomeSchema, "202"),
            **_REFUSALS,
        },
    )
    declare(call_process)


for _process in POSTED:
    _serve(_process)


@route(
    blueprint,
    "POST",
    f"/v1/processes/{RESERVE.name}",
    CALLER,
    summary=RESERVE.summary,
    parameters=PARAMETERS,
    requestBody=body_of(RESERVE, ReserveBodySchema),
    responses={
        **done("It is reserved", ReservedSchema, "201"),
        **done("A repeat; the reservation as it is by now", ReservedSchema),
        **_REFUSALS,
    },
)
def reserve_inventory() -> Response:
    """Decided at once: 201, or 409 with what is `available` and who holds the rest. Issues and shipments use it that
    name it (`document_ref` of type `reservation`), its order or its delivery."""
    here = services()
    now = here.clock()
    body, said = read_data()
    if "reservation_id" in said:
        fault = FieldError("is given by Lineside", pointer="/reservation_id")
        raise Problem(422, "refused", "A reservation's id is not chosen by its caller.", [fault])
    _, incoming = made_call(RESERVE.type, body, said, {**said, "reservation_id": "RS-0"}, now)
    code = reservation_code(incoming.source, incoming.source_message_id)
    call, incoming = made_call(RESERVE.type, body, said, {**said, "reservation_id": code}, now)
    incoming = _with_body(incoming, call)
    return _tell_reservation(code, _take(RESERVE, call, incoming)[0], 201)


@route(
    blueprint,
    "POST",
    f"/v1/processes/{RELEASE_RESERVATION.name}",
    CALLER,
    summary=RELEASE_RESERVATION.summary,
    parameters=PARAMETERS,
    requestBody=body_of(RELEASE_RESERVATION, ReleaseBodySchema),
    responses={**done("It keeps nothing any more", ReservedSchema), **_REFUSALS},
)
def release_reservation() -> Response:
    """409 where it is open no more."""
    here = services()
    now = here.clock()
    body, said = read_data()
    code, reason = _release_of(said)
    with here.store.reading() as session:
        row = find_reservation(session, code)
        key = current_identity().key
        if row is None or (key is not None and row.source != key.source):
            raise _unknown(code)
        data = ended_event(row, ReservationState.RELEASED, now, reason)
    call, incoming = made_call(RELEASE_RESERVATION.type, body, said, data, now, row.plant)
    return _tell_reservation(code, _take(RELEASE_RESERVATION, call, _with_body(incoming, call))[0], 200)


def _release_of(said: dict[str, Any]) -> tuple[str, str | None]:
    faults = [
        FieldError("is unknown here", pointer=f"/{name[:80]}") for name in said.keys() - {"reservation_id", "reason"}
    ]
    for name in ("reservation_id", "reason"):
        value = said.get(name)
        if (value is None and name == "reservation_id") or not isinstance(value, str | None) or value == "":
            faults.append(FieldError("must be text", pointer=f"/{name}"))
    if faults:
        raise Problem(422, "refused", "The body names a reservation, and maybe a reason.", faults)
    return said["reservation_id"], said.get("reason")


def _unknown(code: str) -> Problem:
    fault = FieldError("is unknown", pointer="/reservation_id")
    told = f"There is no reservation {code[:80]!r}."
    return Problem(422, "refused", told, [fault], more={"code": "reservation_unknown"})


def _with_body(incoming: Incoming, call: Call) -> Incoming:
    """What is stored is the whole event: targets need what the caller did not have to say."""
    return replace(incoming, body=event_body(call.event.data))


def _take(process: Process, call: Call, incoming: Incoming) -> tuple[Taken, Incoming, str]:
    here = services()
    try:
        taken = take_call(here.store, call, incoming, process.name, current_identity().actor, here.clock())
    except CallRefused as error:
        observe_acceptances(incoming.source, "refused")
        raise refused(error) from None
    observe_acceptances(incoming.source, taken.acceptance.status)
    if taken.acceptance.status == "conflict":
        told = f"This Idempotency-Key came before with another body (message {taken.acceptance.id}); use a new one."
        raise Problem(409, "conflict", told, more={"id": taken.acceptance.id})
    if taken.acceptance.status == "accepted":
        here.nudges.nudge(incoming.plant, 1)
    return taken, incoming, call.event.type


def _tell_reservation(code: str, taken: Taken, status: int) -> Response:
    is_repeat = taken.acceptance.status == "repeat"
    with services().store.reading() as session:
        row = find_reservation(session, code)
        assert row is not None
        told = told_reservation(row) | {"repeat": is_repeat, "behind": told_behind(session)}
    response = jsonify(told_values(told))
    response.status_code = 200 if is_repeat else status
    response.headers["Location"] = url_for("reservations.show_reservation", code=code)
    return response


def _answer(process: Process, taken: Taken, incoming: Incoming, event_type: str) -> Response:
    here, message_id = services(), taken.acceptance.id
    seconds = wished_wait_seconds(request.headers.get("Prefer", ""), here.settings.process_wait_seconds)
    late = _wait(here, message_id, incoming.plant, event_type, seconds)
    location = url_for("message_reads.show_message", message_id=message_id)
    with here.store.reading() as session:
        message = find_message(session, message_id)
        assert message is not None
        told = told_outcome(session, message)
        behind = told_behind(session)
    if told["status"] == "failed":
        raise failure(message, told, location)
    told["waits_because"] = told["waits_because"] or (late if told["status"] == "under_way" else None)
    warnings = [{"code": one.code, "reason": one.reason, "pointer": pointer_of(one.path)} for one in taken.doubts]
    is_repeat = taken.acceptance.status == "repeat"
    body = {"process": process.name, **told, "repeat": is_repeat, "warnings": warnings, "behind": told_values(behind)}
    response = jsonify(body)
    response.headers["Location"] = location
    if "wait" in request.headers.get("Prefer", ""):
        response.headers["Preference-Applied"] = f"wait={seconds}"
    if told["status"] == "under_way":
        response.status_code = 202
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _wait(here: Services, message_id: int, plant: str, event_type: str, seconds: int) -> str | None:
    """Wait for the outcome, where it may come in time; why it did not, where that is known."""
    with here.store.reading() as session:
        late = why_not_soon(session, here.topology, plant, event_type, here.clock())
    if late is not None or seconds == 0:
        return late
    waited = here.outcomes.wait(message_id, float(seconds))
    return "As many calls as may wait are waiting already." if waited is Waited.NO_ROOM else None
