"""A person fills in, changes or removes an entry; whatever waits for it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.errors import crosswalk_reference
from app.inbox.wakes import wake_arrived
from app.store.crosswalk_tables import CrosswalkChange, CrosswalkEntry, CrosswalkVersion

ENTRIES_MOST = 100_000
"""How many entries a system has at most: its tables are kept in memory by each process."""


@dataclass(frozen=True)
class Entry:
    """``becomes`` None removes the entry."""

    value: str
    becomes: str | None


class TooManyEntries(Exception):
    """The system's tables are full."""


def change_entries(
    session: Session, system: str, name: str, entries: Sequence[Entry], actor: str, note: str | None, now: datetime
) -> int:
    """Write these, each with its history and in the trail; returns how many were not so before. Raises TooManyEntries.

    What a message became before stays as it is: only what is transformed from now on reads the new value.
    """
    _hold(session, system)
    before = _present(session, system, name, [entry.value for entry in entries])
    wanted = {entry.value: entry.becomes for entry in entries}
    changed = {value: becomes for value, becomes in wanted.items() if before.get(value) != becomes}
    _check_room(session, system, sum(value not in before for value in changed))
    for value, becomes in changed.items():
        _write(session, (system, name, value), becomes, actor, now)
        _remember(session, (system, name, value), before.get(value), becomes, actor, note, now)
    filled = [crosswalk_reference(system, name, value) for value, becomes in changed.items() if becomes is not None]
    wake_arrived(session, filled, now)
    return len(changed)


def _hold(session: Session, system: str) -> None:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    counted = build(CrosswalkVersion).values(system=system, version=1)
    one_more = {"version": CrosswalkVersion.version + 1}
    session.execute(counted.on_conflict_do_update(index_elements=["system"], set_=one_more))


def _present(session: Session, system: str, name: str, values: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(values), 500):
        query = select(CrosswalkEntry.value, CrosswalkEntry.becomes).where(
            CrosswalkEntry.system == system,
            CrosswalkEntry.name == name,
            CrosswalkEntry.value.in_(values[start : start + 500]),
        )
        found |= {row.value: row.becomes for row in session.execute(query)}
    return found


def _check_room(session: Session, system: str, more: int) -> None:
    if not more:
        return
    kept = select(CrosswalkEntry.value).where(CrosswalkEntry.system == system).limit(ENTRIES_MOST + 1).subquery()
    if session.execute(select(func.count()).select_from(kept)).scalar_one() + more > ENTRIES_MOST:
        raise TooManyEntries(f"The crosswalks of {system} hold at most {ENTRIES_MOST:,} entries.")


def _write(session: Session, key: tuple[str, str, str], becomes: str | None, actor: str, now: datetime) -> None:
    system, name, value = key
    if becomes is None:
        this = (CrosswalkEntry.system == system, CrosswalkEntry.name == name, CrosswalkEntry.value == value)
        session.execute(delete(CrosswalkEntry).where(*this).execution_options(synchronize_session=False))
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    written = {"becomes": becomes, "changed_at": now, "changed_by": actor[:120]}
    row = build(CrosswalkEntry).values(system=system, name=name, value=value, **written)
    session.execute(row.on_conflict_do_update(index_elements=["system", "name", "value"], set_=written))


def _remember(
    session: Session,
    key: tuple[str, str, str],
    before: str | None,
    after: str | None,
    actor: str,
    note: str | None,
    now: datetime,
) -> None:
    system, name, value = key
    change = {"system": system, "name": name, "value": value, "before": before, "after": after}
    session.execute(insert(CrosswalkChange).values(change | {"at": now, "actor": actor[:120], "note": note}))
    act = "crosswalk.removed" if after is None else "crosswalk.set"
    detail = {"before": before, "after": after} | ({"note": note} if note else {})
    record(session, actor, act, f"crosswalk:{system}/{name}/{value}", detail, now)
