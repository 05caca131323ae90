"""Reconciliations as pages, API and commands tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.reconcile.by_system import ItemSaid
from app.reconcile.fixes import ADJUST, LEDGER, Line, NotPossible, correction_of, dead_of, line_of
from app.reconcile.reports import Report
from app.store.reconcile_tables import Difference, Reconciliation
from config.topology import Topology
from mappings.units import plain

COLUMNS = ("plant", "item", "storage", "lot", "uom", "system", "reported", "difference", "unexplained", "causes")
"""Of a report as CSV; the causes as one text."""


def told_report(report: Reconciliation, found: Report | None = None) -> dict[str, Any]:
    told = {
        "id": report.id,
        "system": report.system,
        "against": report.against,
        "level": report.level,
        "made_at": report.made_at,
        "actor": report.actor,
        "compared": report.compared,
        "differences": report.differences,
        "unexplained": report.unexplained,
        **report.notes,
    }
    if found is not None:
        one, other = found.snapshot, found.other
        told |= {"cut_off": found.cut_off, "taken_at": one.taken_at, "origin": one.origin, "balances": one.rows}
        if other is not None:
            told |= {"against_taken_at": other.taken_at, "against_origin": other.origin, "against_balances": other.rows}
    return told


def told_difference(one: Difference) -> dict[str, Any]:
    """``difference`` is what the system has less ``reported``: what was reported, or what the other system has."""
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


def told_fixes(topology: Topology, report: Reconciliation, one: Difference) -> list[dict[str, Any]]:
    """What can be done: ``requeue`` its dead letters, ``adjust`` who is not right, or ``by_hand``, and why."""
    fixes: list[dict[str, Any]] = []
    if dead := dead_of([one]):
        command = f"lineside reconcile requeue {report.id} {one.number}"
        fixes.append({"kind": "requeue", "told": f"Requeue {len(dead)} dead letters", "command": command, "ids": dead})
    if not one.unexplained:
        return fixes
    fix: dict[str, Any] = {"kind": "adjust", "told": "", "command": None, "ids": []}
    try:
        correction = correction_of(topology, report, ADJUST)
        line = line_of(topology, correction, one)
    except NotPossible as error:
        return [*fixes, fix | {"kind": "by_hand", "told": str(error)}]
    if not isinstance(line, Line):
        return [*fixes, fix | {"kind": "by_hand", "told": f"No adjustment is possible: {line}."}]
    whom = "the ledger" if correction.side == LEDGER else correction.side
    told = f"Adjust {whom} by {plain(line.quantity)} {line.uom}, once a second person approves"
    return [*fixes, fix | {"told": told, "command": f"lineside reconcile adjust {report.id} {one.number}"}]


def flat_difference(told: Mapping[str, Any]) -> dict[str, Any]:
    """For CSV. A text that a spreadsheet would calculate is kept from it."""
    causes = "; ".join(
        f"{one['cause']}{_at(one)} {one['quantity']} ({' '.join(map(str, one['messages'])) or 'no message'})"
        for one in told["causes"]
    )
    row = {name: told[name] for name in COLUMNS if name != "causes"} | {"causes": causes}
    return {name: _harmless(name, value) for name, value in row.items()}


def _at(cause: Mapping[str, Any]) -> str:
    return f" at {cause['system']}" if cause.get("system") else ""


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
