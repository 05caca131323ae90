"""The Tryton documents that a posting becomes, and which button leads each of them on from each state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRODUCTION = "production"
TRANSFER = "stock.shipment.internal"
RECEIPT = "stock.shipment.in"
SUPPLIER_RETURN = "stock.shipment.in.return"

ASSIGN = "assign_try"


@dataclass(frozen=True)
class Flow:
    """The button to press in each state, and the field with the moves that need stock."""

    buttons: Mapping[str, str]
    assigned_field: str = ""


FLOWS: Mapping[str, Flow] = {
    PRODUCTION: Flow({"draft": "wait", "waiting": ASSIGN, "assigned": "run", "running": "do"}, "inputs"),
    TRANSFER: Flow({"draft": "wait", "waiting": ASSIGN, "assigned": "do", "packed": "ship", "shipped": "do"}, "moves"),
    RECEIPT: Flow({"draft": "receive", "received": "do"}),
    SUPPLIER_RETURN: Flow({"draft": "wait", "waiting": ASSIGN, "assigned": "do"}, "moves"),
}


def next_button(model: str, record: Mapping[str, Any]) -> str:
    """A transfer between two plants goes through transit, so it is packed and shipped before it is done."""
    if record["state"] == "assigned" and record.get("transit_location"):
        return "pack"
    return FLOWS[model].buttons[record["state"]]


def fields(model: str) -> list[str]:
    """What is read of a document to know how it goes on."""
    return ["state", "number", "reference"] + (["transit_location"] if model == TRANSFER else [])
