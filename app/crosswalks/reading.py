"""The tables of a system as its mappings read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.crosswalk_tables import CrosswalkEntry, CrosswalkVersion
from mappings.context import Crosswalks

Tables = Mapping[str, Mapping[str, str]]
_NONE_YET = 0


class CrosswalkBook:
    """The tables of one process, read again when their version has changed: a batch costs one short query."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Tables]] = {}

    def read(self, session: Session, uses: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Crosswalks]:
        """By system, for each (system, names that the topology lists for it)."""
        wanted = {system: names for system, names in uses if names}
        if not wanted:
            return {}
        # The version before the entries: what is newer than the version is read once more, and never missed.
        chosen = CrosswalkVersion.system.in_(sorted(wanted))
        versions = {row.system: row.version for row in session.scalars(select(CrosswalkVersion).where(chosen))}
        return {
            system: Crosswalks(system, names, self._tables(session, system, versions.get(system, _NONE_YET)))
            for system, names in wanted.items()
        }

    def _tables(self, session: Session, system: str, version: int) -> Tables:
        kept = self._kept.get(system)
        if kept is not None and kept[0] == version:
            return kept[1]
        tables: dict[str, dict[str, str]] = {}
        columns = select(CrosswalkEntry.name, CrosswalkEntry.value, CrosswalkEntry.becomes)
        for name, value, becomes in session.execute(columns.where(CrosswalkEntry.system == system)):
            tables.setdefault(name, {})[value] = becomes
        self._kept[system] = (version, tables)
        return tables
