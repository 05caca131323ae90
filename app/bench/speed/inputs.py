"""What is sent: movements as a plant's MES tells them, each a CloudEvent with a number of its own."""

from __future__ import annotations

import json
from typing import Any

from app.bench.speed.load import MARK
from app.bench.speed.programs import request

EVENT, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
ITEMS = 50


def event(plant: str, place: int = 0) -> dict[str, Any]:
    """One movement of a lot of its own; ``place`` chooses the item."""
    number = MARK.decode()
    return {
        "specversion": "1.0",
        "id": f"move-{plant}-{number}",
        "source": "mes",
        "type": "mes.move",
        "plant": plant,
        "data": {
            "ts": "2026-03-02T09:15:00+01:00",
            "material": f"WHEEL-{place % ITEMS:03d}",
            "charge": f"L{number}",
            "menge": 4,
            "einheit": "STK",
            "von": {"lagerort": f"{plant}-ST"},
            "nach": {"lagerort": f"{plant}-WIP"},
        },
    }


def one(plant: str, key: str) -> str:
    return request("POST", "/v1/messages", _headers(EVENT, key), _body(event(plant)))


def batch(plants: tuple[str, ...], size: int, key: str) -> str:
    """The events of all plants in turn. Each mark is one number, so an event's id and lot have their own."""
    events = [event(plants[number % len(plants)], number) for number in range(size)]
    return request("POST", "/v1/messages", _headers(BATCH, key), _body(events))


def _headers(kind: str, key: str) -> dict[str, str]:
    return {"Content-Type": kind, "Authorization": f"Bearer {key}"}


def _body(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
