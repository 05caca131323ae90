"""What a change of quantities is worth, at the standard cost of each item. An item without one has no value, and is
named instead of being counted as nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy.orm import Session

from app.mapping_changes.event_differences import Counted
from app.projections.item_costs import UnitCost, unit_costs
from app.projections.items import load_items
from mappings.context import ItemFacts, MappingError
from mappings.units import Quantity, to_base

ITEMS_A_QUERY = 500
NAMED_MOST = 20

Change = tuple[Counted, Decimal, Decimal]


@dataclass(frozen=True)
class Worth:
    """Of one sum of quantities, old and new, in ``currency`` (ISO 4217); or ``unknown``, why nobody can tell."""

    old: Decimal = Decimal(0)
    new: Decimal = Decimal(0)
    currency: str | None = None
    unknown: str | None = None


@dataclass
class FieldWorth:
    """All items of one field together, by currency, and those whose value is not known: the first few, and how many."""

    sums: dict[str, list[Decimal]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    unknown_count: int = 0


def worth_of(session: Session, changes: Sequence[Change]) -> list[Worth]:
    """What each of these changes is worth, in their order."""
    codes = sorted({key.item for key, _, _ in changes})
    costs: dict[str, UnitCost] = {}
    for start in range(0, len(codes), ITEMS_A_QUERY):
        costs |= unit_costs(session, codes[start : start + ITEMS_A_QUERY])
    items = load_items(session, codes)
    return [_worth(change, costs.get(change[0].item), items.get(change[0].item)) for change in changes]


def by_field(changes: Sequence[Change], worths: Sequence[Worth]) -> dict[tuple[str, str], FieldWorth]:
    """The sums of each event type's field. Currencies are never added up."""
    found: dict[tuple[str, str], FieldWorth] = {}
    for (key, _, _), worth in zip(changes, worths, strict=True):
        of_field = found.setdefault((key.type, key.field), FieldWorth())
        if worth.currency is None:
            of_field.unknown_count += key.item not in of_field.unknown
            if len(of_field.unknown) < NAMED_MOST:
                of_field.unknown[key.item] = worth.unknown or ""
            continue
        sums = of_field.sums.setdefault(worth.currency, [Decimal(0), Decimal(0)])
        sums[0] += worth.old
        sums[1] += worth.new
    return found


def _worth(change: Change, cost: UnitCost | None, item: ItemFacts | None) -> Worth:
    key, old, new = change
    if item is None:
        return Worth(unknown="the item is not known")
    if cost is None:
        return Worth(unknown="no system told its standard cost")
    try:
        before, after = (to_base(Quantity(value, key.uom), item).value * cost.amount for value in (old, new))
    except MappingError:
        return Worth(unknown=f"no exact number of {cost.uom}, of which the cost is, is known for {key.uom}")
    return Worth(before, after, cost.currency)
