"""Sending messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint

from app.access.identity import current_identity
from app.access.keys import KeyOwner
from app.access.policy import SOURCE_KEY
from app.api.door_checks import to_incoming
from app.api.long_documents import Part, parts_of
from app.api.openapi_parts import SEND_BODY, SEND_PARAMETERS, done, problems
from app.api.routing import route
from app.api.schemas import AcceptedSchema, BatchSchema
from app.api.vendor_payload import read_vendor
from app.inbox.accept import Acceptance, Incoming
from app.telemetry.metrics import observe_acceptances
from app.web.bodies import BATCH, STRUCTURED, media_type
from app.web.body import whole_body
from app.web.cloud_events import is_binary_mode, read_binary, read_structured, split_batch
from app.web.problems import Problem
from app.web.received import Received
from app.web.services import Services, services

# A long document's events are stored in portions, so that it holds nobody else up; sent again, what was stored is told.
PER_COMMIT = 500

blueprint = Blueprint("messages", __name__, description="Send messages.")


@route(
    blueprint,
    "POST",
    "/v1/messages",
    SOURCE_KEY,
    summary="Send one message, or a batch",
    parameters=SEND_PARAMETERS,
    requestBody=SEND_BODY,
    responses={
        **done("Accepted and stored; or a batch, all of it accepted", {"oneOf": [AcceptedSchema, BatchSchema]}, "202"),
        **done("A repeat; the first one's id", AcceptedSchema),
        **done("A batch of which some events were not accepted", BatchSchema, "207"),
        **problems("400", "401", "403", "409", "413", "415", "422", "503"),
    },
)
def send_messages() -> Response:
    """Takes one CloudEvent (structured or binary), a batch of them, or a vendor's own payload with `source`, `type`
    and `plant` in the query and its id as `Idempotency-Key`. What was answered with 202 is stored for good. An EPCIS
    document of more than 2,000 events is taken as a batch of its events."""
    key = current_identity().key
    assert key is not None
    _refuse_compressed()
    body = whole_body()
    if media_type(request.content_type) == BATCH:
        return _answer_batch(split_batch(body), key)
    try:
        received = _read_one(body)
        incoming = _incoming(received, key)
        parts = parts_of(received, services().topology.sources[incoming.source].mapping)
    except Problem:
        observe_acceptances(key.source, "refused")
        raise
    if parts is not None:
        return _answer_parts(parts, key)
    (acceptance,) = services().door.admit([incoming])
    observe_acceptances(key.source, acceptance.status)
    return _answer_one(incoming, acceptance)


def _refuse_compressed() -> None:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(415, "unsupported_media_type", "Compressed bodies are not taken; send it as it is.")


def _read_one(body: bytes) -> Received:
    if media_type(request.content_type) == STRUCTURED:
        return read_structured(body)
    headers = request.headers
    if is_binary_mode(headers):
        return read_binary(headers, body, request.content_type)
    return read_vendor(request.args, headers, body, request.content_type)


def _incoming(received: Received, key: KeyOwner) -> Incoming:
    here: Services = services()
    return to_incoming(received, key, here.topology, request.args.get("plant"))


def _answer_one(incoming: Incoming, acceptance: Acceptance) -> Response:
    if acceptance.status == "conflict":
        raise _conflict(incoming, acceptance)
    body = {"id": acceptance.id, "source_message_id": incoming.source_message_id, "status": acceptance.status}
    response = jsonify(body | _present_state(acceptance))
    response.status_code = 202 if acceptance.status == "accepted" else 200
    response.headers["Location"] = url_for("message_reads.show_message", message_id=acceptance.id)
    return response


def _present_state(acceptance: Acceptance) -> dict[str, str]:
    """Whoever repeats a message for want of an answer learns what has become of it."""
    return {"state": acceptance.state} if acceptance.status == "repeat" else {}


def _conflict(incoming: Incoming, acceptance: Acceptance) -> Problem:
    detail = (
        f"Source {incoming.source} sent message id {incoming.source_message_id!r} before with other content "
        f"(message {acceptance.id}). Send new content under a new id."
    )
    return Problem(409, "conflict", detail, more={"id": acceptance.id})


def _answer_batch(events: list[bytes], key: KeyOwner) -> Response:
    """Each event stands by itself: a bad one is told in its result and fails no other."""
    return _answer_parts(map(_read_of_batch, events), key)


def _read_of_batch(event: bytes) -> Part:
    try:
        return read_structured(event)
    except Problem as problem:
        return problem


def _answer_parts(parts: Iterable[Part], key: KeyOwner) -> Response:
    results: list[dict[str, Any]] = []
    taken: list[tuple[int, Incoming]] = []
    for index, part in enumerate(parts):
        result: dict[str, Any] = {"index": index}
        results.append(result)
        try:
            if isinstance(part, Problem):
                raise part
            result["source_message_id"] = part.source_message_id
            taken.append((index, _incoming(part, key)))
        except Problem as problem:
            result |= {"status": "refused", "problem": problem.wire()}
    for start in range(0, len(taken), PER_COMMIT):
        portion = taken[start : start + PER_COMMIT]
        answers = services().door.admit([message for _, message in portion])
        for (index, incoming), acceptance in zip(portion, answers, strict=True):
            results[index] |= {"status": acceptance.status, "id": acceptance.id} | _present_state(acceptance)
            if acceptance.status == "conflict":
                results[index]["problem"] = _conflict(incoming, acceptance).wire()
    statuses = Counter(result["status"] for result in results)
    for status, count in statuses.items():
        observe_acceptances(key.source, status, count)
    mixed = statuses["refused"] + statuses["conflict"] > 0
    response = jsonify({"results": results})
    response.status_code = 207 if mixed else 202
    return response
