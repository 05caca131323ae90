"""What a change of mappings does to many messages, added up in bounded memory."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.mapping_changes.event_differences import Change, Counted, amounts, differences
from app.mapping_changes.stored_messages import Events
from app.mapping_changes.trying import Fault

EXAMPLES_MOST = 3
IDS_MOST = 20
FIELDS_MOST = 1_000
REFUSALS_MOST = 200
AMOUNTS_MOST = 20_000
_INDEX = re.compile(r"\[\d+\]")

Outcome = Events | Fault


@dataclass
class FieldChanges:
    """How often a field has another value, and the first few: (message id, old, new)."""

    count: int = 0
    examples: list[tuple[int, Any, Any]] = field(default_factory=list)


@dataclass
class Refusals:
    """Messages of one code and field that were mapped before, or the other way round."""

    reason: str
    count: int = 0
    ids: list[int] = field(default_factory=list)


@dataclass
class Group:
    """The messages of one source and type. ``versions``: by which mapping those before were made."""

    looked_at: int = 0
    unchanged: int = 0
    changed: int = 0
    newly_refused: int = 0
    newly_accepted: int = 0
    refused_otherwise: int = 0
    not_mapped_yet: int = 0
    stored_otherwise: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    changed_ids: list[int] = field(default_factory=list)
    accepted_ids: list[int] = field(default_factory=list)
    fields: dict[str, FieldChanges] = field(default_factory=lambda: defaultdict(FieldChanges))
    refusals: dict[tuple[str, str], Refusals] = field(default_factory=dict)

    @property
    def is_changed(self) -> bool:
        return bool(self.changed or self.newly_refused or self.newly_accepted or self.refused_otherwise)


@dataclass
class Comparison:
    """``amounts`` are of messages that change, old and new; ``amounts_left_out`` counts messages of which they are not
    known: their events are in another form, or there are too many items."""

    groups: dict[tuple[str, str], Group] = field(default_factory=lambda: defaultdict(Group))
    amounts: dict[Counted, list[Decimal]] = field(default_factory=dict)
    amounts_left_out: int = 0

    @property
    def looked_at(self) -> int:
        return sum(group.looked_at for group in self.groups.values())

    @property
    def is_changed(self) -> bool:
        return any(group.is_changed for group in self.groups.values())

    def add(self, group: Group, message_id: int, before: Outcome, after: Outcome) -> None:
        """One message that was mapped, or refused, before."""
        if isinstance(before, Fault) and isinstance(after, Fault):
            same = (before.code, before.field) == (after.code, after.field)
            group.unchanged += same
            group.refused_otherwise += not same
            if not same:
                _refused(group, message_id, after)
            return
        if isinstance(after, Fault):
            group.newly_refused += 1
            _refused(group, message_id, after)
        elif isinstance(before, Fault):
            group.newly_accepted += 1
            _keep_id(group.accepted_ids, message_id)
        elif changes := differences(before, after):
            group.changed += 1
            _keep_id(group.changed_ids, message_id)
            _add_changes(group, message_id, changes)
        else:
            group.unchanged += 1
            return
        self._add_amounts(() if isinstance(before, Fault) else before, () if isinstance(after, Fault) else after)

    def _add_amounts(self, before: Events, after: Events) -> None:
        try:
            old, new = amounts(before), amounts(after)
        except (KeyError, TypeError, ArithmeticError):
            self.amounts_left_out += 1
            return
        if len(self.amounts) + len(old | new) > AMOUNTS_MOST:
            self.amounts_left_out += 1
            return
        for position, totals in enumerate((old, new)):
            for key, value in totals.items():
                self.amounts.setdefault(key, [Decimal(0), Decimal(0)])[position] += value

    def changed_amounts(self) -> list[tuple[Counted, Decimal, Decimal]]:
        """Those that differ, the largest difference first."""
        found = [(key, old, new) for key, (old, new) in self.amounts.items() if old != new]
        return sorted(found, key=lambda row: (-abs(row[2] - row[1]), row[0].item, row[0].field))


def _refused(group: Group, message_id: int, fault: Fault) -> None:
    key = (fault.code, _INDEX.sub("[]", fault.field or ""))
    if key not in group.refusals and len(group.refusals) >= REFUSALS_MOST:
        key = ("others", "")
    refusals = group.refusals.setdefault(key, Refusals(fault.reason))
    refusals.count += 1
    _keep_id(refusals.ids, message_id)


def _add_changes(group: Group, message_id: int, changes: Sequence[Change]) -> None:
    for change in changes:
        path = change.path if change.path in group.fields or len(group.fields) < FIELDS_MOST else "other fields"
        found = group.fields[path]
        found.count += 1
        if len(found.examples) < EXAMPLES_MOST:
            found.examples.append((message_id, change.old, change.new))


def _keep_id(ids: list[int], message_id: int) -> None:
    if len(ids) < IDS_MOST:
        ids.append(message_id)
