"""Reconciliations as pages, API and commands tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.reconcile.by_system import ItemSaid
from app.store.reconcile_tables import Difference, Reconciliation, Snapshot
from mappings.units import plain

COLUMNS = ("plant", "item", "storage", "lot", "uom", "system", "reported", "difference", "unexplained", "causes")
"""Of a report as CSV; the causes as one text."""


def told_report(report: Reconciliation, snapshot: Snapshot | None = None) -> dict[str, Any]:
    told = {
        "id": report.id,
        "system": report.system,
        "level": report.level,
        "made_at": report.made_at,
        "actor": report.actor,
        "compared": report.compared,
        "differences": report.differences,
        "unexplained": report.unexplained,
        **report.notes,
    }
    if snapshot is not None:
        told |= {"taken_at": snapshot.taken_at, "origin": snapshot.origin, "balances": snapshot.rows}
    return told


def told_difference(one: Difference) -> dict[str, Any]:
    """``difference`` is what the system has less what was reported."""
    return {
        "number": one.number,
        "plant": one.plant,
        "item": one.item,
        "storage": one.storage or None,
        "lot": one.lot or None,
        "uom": one.uom,
        "system": plain(one.system_quantity),
        "reported": plain(one.reported_quantity),
        "difference": plain(one.system_quantity - one.reported_quantity),
        "unexplained": plain(one.unexplained),
        "causes": one.causes,
    }


def flat_difference(told: Mapping[str, Any]) -> dict[str, Any]:
    """For CSV. A text that a spreadsheet would calculate is kept from it."""
    causes = "; ".join(
        f"{one['cause']} {one['quantity']} ({' '.join(map(str, one['messages'])) or 'no message'})"
        for one in told["causes"]
    )
    row = {name: told[name] for name in COLUMNS if name != "causes"} | {"causes": causes}
    return {name: _harmless(name, value) for name, value in row.items()}


def _harmless(name: str, value: Any) -> Any:
    text = "" if value is None else str(value)
    is_code = name in ("plant", "item", "storage", "lot", "uom", "causes")
    return f"'{text}" if is_code and text[:1] in ("=", "+", "-", "@", "\t") else text


def told_by_system(said: ItemSaid) -> dict[str, Any]:
    return {
        "plant": said.plant,
        "item": said.item,
        "uom": said.uom,
        "ledger": plain(said.ledger),
        "moved_at": said.moved_at,
        "systems": [
            {
                "system": one.system,
                "snapshot_id": one.snapshot_id,
                "taken_at": one.taken_at,
                "quantity": None if one.quantity is None else plain(one.quantity),
                "ledger_then": None if one.ledger_then is None else plain(one.ledger_then),
                "difference": None if one.difference is None else plain(one.difference),
            }
            for one in said.systems
        ],
    }
