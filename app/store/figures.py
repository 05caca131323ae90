"""Counts and ages for pages, metrics and tables. Nothing here walks a table: counts are kept as messages move."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.counts import message_counts
from app.store.messages_tables import Message
from app.telemetry.metrics import Figures

UNFINISHED_STATES = ("received", "transformed", "enriched", "waiting")

_STEP_LABEL = {"received": "transform", "transformed": "enrich", "enriched": "post", "waiting": "any"}


def plant_counts(session: Session) -> dict[str, dict[str, int]]:
    """For each plant how many messages are in each state."""
    counts: dict[str, dict[str, int]] = {}
    for (plant, _, state), count in message_counts(session).items():
        states = counts.setdefault(plant, {})
        states[state] = states.get(state, 0) + count
    return counts


def oldest_received(session: Session, plants: Iterable[str]) -> dict[tuple[str, str], datetime]:
    """When the oldest unfinished message of each (plant, state) was received; ids rise with time."""
    found: dict[tuple[str, str], datetime] = {}
    for plant in plants:
        for state in UNFINISHED_STATES:
            query = select(Message.received_at).where(Message.plant == plant, Message.state == state)
            instant = session.execute(query.order_by(Message.id).limit(1)).scalar_one_or_none()
            if instant is not None:
                found[plant, state] = instant
    return found


def read_figures(session: Session, plants: Iterable[str], now: datetime) -> Figures:
    """What ``/metrics`` shows as gauges; plants and states without messages are there with zero."""
    known = list(plants)
    counts = plant_counts(session)
    oldest = oldest_received(session, known)
    return Figures(
        backlog={
            (plant, _STEP_LABEL[state], state): counts.get(plant, {}).get(state, 0)
            for plant in known
            for state in UNFINISHED_STATES
        },
        oldest_age={
            (plant, state): max(0.0, (now - oldest[plant, state]).total_seconds()) if (plant, state) in oldest else 0.0
            for plant in known
            for state in UNFINISHED_STATES
        },
        dead={plant: counts.get(plant, {}).get("dead", 0) for plant in known},
    )
