"""What differs between the events that two versions of a mapping make of one message."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mappings.canonical import contract
from mappings.context import Event

Events = Sequence[Mapping[str, Any]]
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Change:
    """``path`` is the event's type and the field, without places in lists (``outputs[].lot``), or the type alone where
    the whole event came or went. A value that is not there is None."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Counted:
    """One kind of amount: completed pieces and planned ones are never added up."""

    type: str
    field: str
    item: str
    uom: str


def differences(before: Events, after: Events) -> list[Change]:
    """Every value that differs. Events are held against each other by type, the first of a type with the first."""
    changes: list[Change] = []
    old, new = _by_type(before), _by_type(after)
    for kind in dict.fromkeys([*old, *new]):
        for one, other in _pairs(old[kind], new[kind]):
            if one is None or other is None:
                changes.append(Change(kind, one, other))
            else:
                changes += changed_values(kind, one, other)
    if not changes and list(before) != list(after):
        changes.append(Change("the order of events", [each["type"] for each in before], [e["type"] for e in after]))
    return changes


def _by_type(events: Events) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for event in events:
        found[event["type"]].append(event["data"])
    return found


def _pairs(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    for index in range(max(len(old), len(new))):
        yield (old[index] if index < len(old) else None), (new[index] if index < len(new) else None)


def changed_values(kind: str, old: Any, new: Any) -> Iterator[Change]:
    """Every value that differs between two objects; ``kind`` is told before each path."""
    before, after = dict(leaves(old)), dict(leaves(new))
    for path in dict.fromkeys([*before, *after]):
        if before.get(path) != after.get(path):
            yield Change(f"{kind} {_INDEX.sub('[]', path)}", before.get(path), after.get(path))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path: ``outputs[0].quantity.value``. An empty list or object is a value of its own."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def amounts(events: Events) -> Counter[Counted]:
    """What the events come to, exactly. Raises KeyError, TypeError or ArithmeticError for events that are in another
    form than today's."""
    totals: Counter[Counted] = Counter()
    for wire in events:
        for amount in contract.quantities(Event(wire["type"], wire["data"])):
            key = Counted(wire["type"], _INDEX.sub("[]", amount.place), amount.item, amount.quantity.uom)
            totals[key] = totals.get(key, Decimal(0)) + amount.quantity.value  # type: ignore[assignment]
    return totals
