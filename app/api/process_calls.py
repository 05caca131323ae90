"""Read a process call, and tell why it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import request

from app.access.identity import Identity, current_identity
from app.access.keys import KeyOwner
from app.access.roles import Role
from app.api.digest import content_digest
from app.api.door_checks import to_incoming
from app.api.vendor_payload import idempotency_key
from app.inbox.accept import MAX_ID_LENGTH, Incoming
from app.processes.checks import Call
from app.processes.refusal import CallRefused
from app.web import parameters
from app.web.bodies import kind_of, media_type, parsed
from app.web.body import whole_body
from app.web.problems import FieldError, Problem
from app.web.received import TRACEPARENT_BOUND, Received
from app.web.services import services
from mappings.canonical import contract
from mappings.context import Event

OVERRIDE_MOST = 200


def calls_source() -> KeyOwner:
    """In whose name the call is made: the key's source, or the one that an account names."""
    identity = current_identity()
    if identity.key is not None:
        return identity.key
    source = parameters.text(request.args, "source")
    if source is None:
        known = sorted(services().topology.sources)
        fault = FieldError("is missing", place="query source")
        raise Problem(422, "refused", "Say in the name of which source: ?source=...", [fault], more={"known": known})
    return KeyOwner(0, identity.actor, source, frozenset())


def call_id(identity: Identity) -> str:
    """The call's id within its source. An account's keys are its own: two people may choose the same."""
    key = idempotency_key(request.headers)
    named = key if identity.key is not None else f"{identity.actor}:{key}"
    if len(named) > MAX_ID_LENGTH:
        fault = FieldError("is too long with the account's name before it", place="header Idempotency-Key")
        raise Problem(400, "bad_request", "The header Idempotency-Key is unusable.", [fault])
    return named


def read_data() -> tuple[bytes, dict[str, Any]]:
    """The body, and the object that it is."""
    body = whole_body()
    if kind_of(media_type(request.content_type)) != "json":
        raise Problem(415, "unsupported_media_type", "A process call is sent as application/json.")
    data = parsed(body, "json")
    if not isinstance(data, dict):
        raise Problem(422, "refused", "The body must be an object.", [FieldError("must be an object", pointer="")])
    return body, data


def override_reason() -> str | None:
    """Why a hold is passed over; only a person may say that."""
    reason = parameters.text(request.args, "override", OVERRIDE_MOST)
    if reason is not None and not current_identity().has(Role.OPERATOR):
        raise Problem(403, "forbidden", "Only an account with the role operator or more may pass over a hold.")
    return reason


def made_call(
    event_type: str,
    body: bytes,
    said: Mapping[str, Any],
    data: Mapping[str, Any],
    now: datetime,
    default_plant: str | None = None,
) -> tuple[Call, Incoming]:
    """The call and the message that keeps it. ``said`` is what the caller sent, by which a repeat is known; ``data``
    the event's data. Without ``event_time`` it happens now. Raises Problem where the door would."""
    owner, message_id = calls_source(), call_id(current_identity())
    time = now.isoformat().replace("+00:00", "Z")
    traceparent = request.headers.get("traceparent")
    received = Received(
        source=owner.source,
        plant=parameters.text(request.args, "plant", 80),
        type=event_type,
        source_message_id=message_id,
        content_type="application/json",
        body=body,
        kind="json",
        data=dict(data),
        raw_data=body,
        time=time,
        attributes={"time": time},
        traceparent=traceparent if traceparent and len(traceparent) <= TRACEPARENT_BOUND else None,
    )
    topology = services().topology
    incoming = to_incoming(received, owner, topology, default_plant, is_process=True)
    incoming = replace(incoming, digest=content_digest(event_type, incoming.plant, dict(said), body))
    event = Event(event_type, contract.validate(event_type, {"event_time": time, **data}))
    source = topology.sources[incoming.source]
    return Call(incoming.plant, event, source, topology, override_reason()), incoming


def refused(error: CallRefused) -> Problem:
    """422 for what can never be right, 409 for what the present state is against."""
    faults = [FieldError(error.reason, pointer=pointer_of(error.path))] if error.path else []
    status, code = (422, "refused") if error.kind == "wrong" else (409, "not_possible")
    return Problem(status, code, error.reason, faults, more={"code": error.code, **error.more})


def pointer_of(path: str) -> str:
    """``outputs[0].quantity`` as the JSON pointer ``/outputs/0/quantity``."""
    return "".join(f"/{step}" for step in re.findall(r"[^.\[\]]+", path))
