"""What a message that does not get on holds up, as it is told outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.dead_letters.subject import KINDS, Subject
from app.dead_letters.weighing import letters_of, weights_of
from app.store.impact_tables import Impact
from app.store.messages_tables import Message

SHOWN_MOST = 3
_PLURALS = {kind: f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s" for kind in KINDS}


def told_impact(impact: Impact, now: datetime) -> dict[str, Any]:
    """Of a dead letter, as it was weighed last. Not weighed yet it has no points, and nothing is said of it."""
    if impact.subject is None or impact.parts is None:
        return {"points": 0, "weighed_at": None}
    told = _told(Subject.of_stored(impact.subject), impact.points, impact.parts, now)
    return told | {"weighed_at": impact.weighed_at}


def impacts_of(session: Session, messages: Sequence[Message], now: datetime) -> dict[int, dict[str, Any]]:
    """The same of any messages of a page, worked out at this moment."""
    letters = letters_of(session, list({message.id: message for message in messages}.values()))
    weights = weights_of(session, letters, now)
    return {one.id: _told(one.subject, weights[one.id].points, weights[one.id].told, now) for one in letters}


def _told(subject: Subject, points: int, parts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    codes: dict[str, list[str]] = {name: [] for name in _PLURALS.values()}
    for kind, code in subject.codes():
        codes[_PLURALS[kind]].append(code)
    quantities = [
        {"item": amount.item, "quantity": {"value": amount.value, "uom": amount.uom}} for amount in subject.amounts
    ]
    due = [_due(order, now) for order in parts["orders"]]
    return {
        "points": points,
        "parts": parts["points"],
        "type": subject.type,
        **codes,
        "quantities": quantities,
        "value": parts["value"],
        "waiting": parts["waiting"],
        "shipments_waiting": parts["shipments"],
        "due": due,
        "held_lots": parts["held_lots"],
    }


def _due(order: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    due_at = datetime.fromisoformat(order["due_at"])
    late = (now - due_at).total_seconds()
    late_seconds = int(late) if late > 0 and not order["ended"] else None
    return {"order": order["order"], "due_at": due_at, "ended": order["ended"], "late_seconds": late_seconds}


def words_of_impact(told: Mapping[str, Any]) -> str:
    """The same in one line for a person; empty where it was not weighed yet."""
    if told.get("parts") is None:
        return ""
    codes = [f"{name.replace('_', ' ')} {few(told[name])}" for name in _PLURALS.values() if told[name]]
    amounts = [f"{one['quantity']['value']} {one['quantity']['uom']} {one['item']}" for one in told["quantities"]]
    pressing = [
        *([f"{told['waiting']} wait behind it"] if told["waiting"] else []),
        *([f"shipments wait: {few(told['shipments_waiting'])}"] if told["shipments_waiting"] else []),
        *(f"order {due['order']} {lateness_in_words(due)}" for due in told["due"][:SHOWN_MOST]),
        *([f"on hold: {few(told['held_lots'])}"] if told["held_lots"] else []),
        *([value_in_words(told["value"])] if amounts else []),
    ]
    return "; ".join([*codes, *([few(amounts)] if amounts else []), *pressing])


def value_in_words(value: Mapping[str, Any]) -> str:
    if value["amount"] is not None:
        return f"worth {value['amount']} {value['currency']}"
    return "value unknown"


def few(words: Sequence[str]) -> str:
    return ", ".join(words[:SHOWN_MOST]) + (f" and {len(words) - SHOWN_MOST} more" if len(words) > SHOWN_MOST else "")


def lateness_in_words(due: Mapping[str, Any]) -> str:
    late = due["late_seconds"]
    if late is None:
        return "ended" if due["ended"] else f"due {due['due_at'].isoformat(timespec='minutes').replace('+00:00', 'Z')}"
    return f"late by {late // 86_400} d" if late >= 86_400 else f"late by {late // 3_600} h {late % 3_600 // 60} min"
