"""What may be done about a difference: whose dead letters are requeued, and who is adjusted by how much."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.reconcile.causes import Cause
from app.store.reconcile_tables import Difference, Reconciliation
from config.own_messages import only_for, said_by
from config.topology import Topology
from mappings.canonical.fields import FRACTION_DIGITS, INTEGER_DIGITS
from mappings.registry import OUTBOUND

ADJUSTED = "inventory.adjusted.v1"
LEDGER = "ledger"

Kind = Literal["take_over", "adjust"]
TAKE_OVER, ADJUST = "take_over", "adjust"


class NotPossible(Exception):
    """Nothing can be done that way; the text says why, and what can."""


@dataclass(frozen=True)
class Correction:
    """Whose stock follows: the ledger's, or a system's. ``sign`` times what is unexplained is what it gains; ``source``
    is what its messages stand under."""

    side: str
    sign: int
    source: str


def correction_of(topology: Topology, report: Reconciliation, kind: str) -> Correction:
    """Who follows whom. Taking over, the ledger follows the system; else whoever is not the system of record for
    inventory follows the one who is. Raises NotPossible."""
    if kind == TAKE_OVER:
        if report.against is not None:
            raise NotPossible(f"Compare {report.system} alone: what two systems differ by is taken over from neither.")
        return Correction(LEDGER, 1, said_by(report.system))
    record = topology.systems_of_record.get("inventory")
    if record is None:
        raise NotPossible("The topology names no system of record for inventory; name it, or take the snapshot over.")
    if report.against is None and report.system == record.system:
        return Correction(LEDGER, 1, said_by(report.system))
    if report.against is not None and record.system not in (report.system, report.against):
        raise NotPossible(f"{record.system} is right about inventory; compare each of the two with it.")
    if report.against is not None and report.system == record.system:
        return _of_a_system(topology, report.against, 1)
    return _of_a_system(topology, report.system, -1)


def _of_a_system(topology: Topology, system: str, sign: int) -> Correction:
    target = topology.targets.get(system)
    if target is None:
        raise NotPossible(f"{system} is no target: correct it there by hand.")
    if (target.mapping, ADJUSTED) not in OUTBOUND:
        raise NotPossible(f"{system} (mapping {target.mapping}) takes no {ADJUSTED}: correct it there by hand.")
    return Correction(system, sign, only_for(system))


@dataclass(frozen=True)
class Line:
    """What one difference's adjustment is: ``quantity`` is what the place gains."""

    number: int
    plant: str
    item: str
    storage: str
    lot: str
    quantity: Decimal
    uom: str


def line_of(topology: Topology, correction: Correction, one: Difference) -> Line | str | None:
    """Its adjustment; why it can have none; or None where nothing is unexplained."""
    if not one.unexplained:
        return None
    if one.plant not in topology.plants:
        return f"the topology has no plant {one.plant}"
    amount = one.unexplained * correction.sign
    if amount.adjusted() >= INTEGER_DIGITS or -int(amount.normalize().as_tuple().exponent) > FRACTION_DIGITS:
        return f"its quantity has more than {INTEGER_DIGITS} digits before the point or {FRACTION_DIGITS} after it"
    return Line(one.number, one.plant, one.item, one.storage, one.lot, amount, one.uom)


def dead_of(differences: Collection[Difference]) -> list[int]:
    """The dead letters that make these differences, as far as they are named."""
    causes = (cause for one in differences for cause in one.causes)
    return sorted({key for cause in causes if cause["cause"] == Cause.DEAD for key in cause["messages"]})
