"""What is told of a process call: the answers of its targets, why it failed, or where it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.inbox.states import State
from app.postings.answers import answers_to
from app.postings.circuit import CircuitState
from app.postings.pauses import read_pauses
from app.postings.room import known_targets
from app.store.messages_tables import Message
from app.web.problems import FieldError, Problem
from config.topology import Topology


def told_outcome(session: Session, message: Message) -> dict[str, Any]:
    """``status``: posted, under_way or failed."""
    status = {State.POSTED.value: "posted"}.get(message.state, "under_way")
    if message.state in (State.DEAD, State.DISCARDED, State.COMPENSATED):
        status = "failed"
    return {
        "id": message.id,
        "source_message_id": message.source_message_id,
        "status": status,
        "state": message.state,
        "waits_because": message.reason if message.state == State.WAITING else None,
        "answers": [
            {
                "target": one.target,
                "required": one.required,
                "state": one.state,
                "reference": one.reference,
                "answer": one.answer,
                "reason_code": one.reason_code,
                "reason": one.reason,
            }
            for one in answers_to(session, message.id)
        ],
    }


def failure(message: Message, told: Mapping[str, Any], location: str) -> Problem:
    """The message was kept and came to nothing: it is dead and waits for a person, or a person ended it."""
    reasons = {
        State.DISCARDED.value: ("discarded", "A person has discarded the message."),
        State.COMPENSATED.value: ("compensated", "What targets held of it was reversed."),
    }
    code, reason = reasons.get(message.state, (message.reason_code or "dead", message.reason or "It is dead."))
    faults = [FieldError(reason, place=message.reason_field)] if message.reason_field else []
    more = {"code": code, "id": message.id, "state": message.state, "answers": told["answers"]}
    return Problem(422, "refused", reason, faults, {"Location": location}, more)


def why_not_soon(session: Session, topology: Topology, plant: str, event_type: str, now: datetime) -> str | None:
    """Why a message of this type cannot take effect in a moment; None where it may."""
    plants, targets = read_pauses(session)
    if plant in plants:
        return f"Plant {plant} is paused; the message is kept and goes on when it is resumed."
    routed = [one.target for one in topology.route(event_type, plant) if one.required]
    paused = next((code for code in routed if code in targets), None)
    if paused is not None:
        return f"Target {paused} is paused: {targets[paused]}"
    known = known_targets(session, {code: topology.targets[code] for code in routed}, now)
    alone = next((code for code in routed if known[code].circuit.state is CircuitState.OPEN), None)
    return None if alone is None else f"Target {alone} does not answer and is left alone for a while."
