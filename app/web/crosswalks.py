"""Crosswalks as API, console and commands see them and change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.crosswalks.changing import Entry, TooManyEntries, change_entries
from app.crosswalks.lookup import Missing
from app.store.crosswalk_tables import CrosswalkChange, CrosswalkEntry
from app.store.session import Store
from app.web.problems import FieldError, Problem
from config.strict_schema import nearest
from config.topology import Source, Target, Topology
from mappings.context import CROSSWALK_VALUE_MOST

ENTRIES_AT_ONCE = 500
NOTE_MOST = 1_000


def change_crosswalk(
    store: Store,
    topology: Topology,
    system: str,
    name: str,
    entries: Sequence[Entry],
    actor: str,
    note: str | None,
    now: datetime,
) -> int:
    """Returns how many entries were not so before. Raises Problem where the topology gives the system no such table,
    or a value cannot stand in one."""
    check_table(topology, system, name)
    _check_entries(entries, note)
    try:
        with store.writing() as session:
            return change_entries(session, system, name, entries, actor, note, now)
    except TooManyEntries as error:
        raise Problem(409, "not_possible", str(error)) from None


def check_table(topology: Topology, system: str, name: str) -> None:
    """A table that no mapping asks would be filled in vain, so it is refused with what to do."""
    tables = tables_of(topology)
    if system not in tables:
        known = [*topology.sources, *topology.targets]
        mend = nearest(system, list(tables) or known)
        what = "uses no crosswalk; list them in its block of the topology" if system in known else f"is unknown; {mend}"
        raise _refused(f"System {system[:80]!r} {what}.", "system")
    if name not in tables[system]:
        told = f"{system} uses no crosswalk {name[:80]!r}; {nearest(name, tables[system])}"
        raise _refused(f"{told}. The topology lists them in `crosswalks`.", "name")


def tables_of(topology: Topology) -> dict[str, tuple[str, ...]]:
    """The crosswalks that each source and target uses, of those that use any."""
    systems: list[Source | Target] = [*topology.sources.values(), *topology.targets.values()]
    found: dict[str, tuple[str, ...]] = {}
    for system in systems:
        if system.crosswalks:
            found[system.code] = tuple(dict.fromkeys((*found.get(system.code, ()), *system.crosswalks)))
    return found


def _check_entries(entries: Sequence[Entry], note: str | None) -> None:
    if len(entries) > ENTRIES_AT_ONCE:
        raise _refused(f"At most {ENTRIES_AT_ONCE} entries are changed at once.", "entries")
    for entry in entries:
        for field, value in (("value", entry.value), ("becomes", entry.becomes)):
            if value is not None and not _can_stand(value):
                told = f"{field} must have 1 to {CROSSWALK_VALUE_MOST} printable characters"
                raise _refused(f"{told}, without blanks around them: {value[:40]!r} does not.", field)
    if note is not None and len(note) > NOTE_MOST:
        raise _refused(f"The note has at most {NOTE_MOST:,} characters.", "note")


def _can_stand(value: str) -> bool:
    return 0 < len(value) <= CROSSWALK_VALUE_MOST and value.isprintable() and value == value.strip()


def _refused(detail: str, place: str) -> Problem:
    return Problem(422, "refused", detail, [FieldError("is refused", place=place)])


def told_entry(entry: CrosswalkEntry) -> dict[str, Any]:
    names = ("system", "name", "value", "becomes", "changed_at", "changed_by")
    return {name: getattr(entry, name) for name in names}


def told_change(change: CrosswalkChange) -> dict[str, Any]:
    names = ("id", "system", "name", "value", "before", "after", "at", "actor", "note")
    return {name: getattr(change, name) for name in names}


def told_missing(missing: Missing) -> Mapping[str, Any]:
    return {
        "system": missing.system,
        "name": missing.name,
        "value": missing.value,
        "messages": missing.messages,
        "first_message": missing.first_message,
    }
