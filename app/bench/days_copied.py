"""Copy a day that the product made as further days, within the database: the same rows with other ids, other words and
another date. A million messages take minutes so, where the product's own steps would take an hour.

What is one row for all days (a sum) is added to. ``tests/flow/test_the_picture_is_measured.py`` holds copied days
against days that the product made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Date, DateTime, LargeBinary, String, Table, TypeDecorator, func, select, text
from sqlalchemy.orm import Session

from app.bench.plant_names import Words
from app.projections.upsert import upsert
from app.store import tables
from app.store.base import Base
from app.store.ledger_tables import ItemStock
from app.store.measure_tables import MeasureTotal
from app.store.messages_tables import StateCount
from app.store.session import Store, allow_long_statements

IDS: Mapping[str, Mapping[str, str]] = {
    "messages": {"id": "messages"},
    "payloads": {"message_id": "messages"},
    "documents": {"message_id": "messages"},
    "timeline": {"id": "timeline", "message_id": "messages"},
    "postings": {"id": "postings", "message_id": "messages", "reverses_id": "postings"},
    "posting_attempts": {"posting_id": "postings"},
    "impacts": {"message_id": "messages"},
    "impact_objects": {"message_id": "messages"},
    "business_exceptions": {"id": "business_exceptions"},
    "audit": {"id": "audit"},
    "feed": {"position": "feed", "message_id": "messages"},
    "measures": {},
    "stock": {"id": "stock"},
    "movements": {"id": "movements", "stock_id": "stock", "message_id": "messages"},
    "holds": {"id": "holds", "message_id": "messages"},
    "production_orders": {"released_message_id": "messages"},
    "order_items": {},
    "order_materials": {"message_id": "messages"},
    "order_needs": {},
    "order_progress": {},
    "order_reports": {"id": "order_reports", "message_id": "messages"},
    "transformation_lots": {},
    "told_states": {"message_id": "messages"},
    "told_versions": {"id": "told_versions", "message_id": "messages"},
    "bom_components": {"version_id": "told_versions"},
    "purchase_orders": {"message_id": "messages"},
    "purchase_lines": {},
    "receipts": {"id": "receipts", "message_id": "messages"},
    "shipments": {"id": "shipments", "message_id": "messages"},
    "shipment_lines": {"shipment_id": "shipments"},
    "transit_lines": {"id": "transit_lines", "message_id": "messages"},
    "arrivals": {"id": "arrivals", "message_id": "messages"},
    "equipment_states": {"id": "equipment_states", "message_id": "messages"},
    "reservations": {"id": "reservations", "message_id": "messages", "ended_message_id": "messages"},
}
"""What is copied row by row, and in which columns stand ids of which table."""

SUMS: Mapping[type[Any], tuple[str, ...]] = {
    ItemStock: ("unrestricted", "quality", "blocked", "reserved", "in_transit", "on_order"),
    MeasureTotal: ("number",),
    StateCount: ("count",),
}
"""What is added to, and which columns of it."""

_LATER_STANDS = {
    "told_states": " ON CONFLICT (thing) DO UPDATE SET message_id = excluded.message_id, as_of = excluded.as_of, "
    "sequence_rank = excluded.sequence_rank, ordering_key = excluded.ordering_key"
}
"""Which telling of a thing stands, where days tell of the same one."""

SHARED = frozenset(
    {
        *("items", "lanes", "leases", "promised_items", "target_states", "accounts", "api_keys"),
        *("snapshots", "snapshot_rows", "reconciliations", "differences"),
    }
)
"""What is of no day."""

_HASHED = {
    ("postings", "posting_key"): "'LS' || '{tag}' || substr({column}, 9)",
    ("postings", "reference"): "'W-LS' || '{tag}' || substr({column}, 11)",
    ("audit", "subject"): "'message:' || (CAST(substr({column}, 9) AS INTEGER) + {messages})",
}
"""What holds its day's words in hashed form, or an id in a text."""


CACHE_KIB = 256 * 1024
"""Of the copying connection on SQLite: rows of one day go into the midst of many an index."""


class CannotCopy(Exception):
    """The day holds what this page does not know how to copy."""


class Copier:
    """Days like ``first``, of which the database holds nothing but that day yet."""

    def __init__(self, store: Store, first: int) -> None:
        self.store, self.first = store, first
        with store.writing() as session:
            connection = session.connection()
            allow_long_statements(connection)
            self._check(connection)
            self._tables = [table for table in _copied() if _is_filled(connection, table)]
            for table in self._tables:
                connection.execute(text(f"CREATE TABLE {_kept(table)} AS SELECT * FROM {table.name}"))
            self._worded = {table.name: self._columns_with_words(connection, table) for table in self._tables}
            self._sums = {mapped: _rows(session, mapped) for mapped in SUMS}

    def copy(self, day: int) -> None:
        """In one transaction."""
        with self.store.writing() as session:
            connection = session.connection()
            allow_long_statements(connection)
            if self.store.is_sqlite:
                connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
            shifts = {table.name: _highest(connection, table) for table in self._tables if _own_id(table)}
            for table in self._tables:
                connection.execute(text(self._insert(table, day, shifts)))
            for table in self._tables:
                _go_on_numbering(connection, table)
            for mapped, columns in SUMS.items():
                self._add(session, mapped, columns, day)

    def look_at(self) -> None:
        """Let PostgreSQL gather statistics of what it has now, as autovacuum does by itself within a minute or two."""
        if not self.store.is_sqlite:
            with self.store.writing() as session:
                allow_long_statements(session.connection())
                session.execute(text("ANALYZE"))

    def close(self) -> None:
        """Drop what was kept of the day."""
        with self.store.writing() as session:
            for table in self._tables:
                session.execute(text(f"DROP TABLE {_kept(table)}"))

    def _check(self, connection: Connection) -> None:
        known = {*IDS, *SHARED, *(mapped.__tablename__ for mapped in SUMS)}
        unknown = [
            t.name for t in tables.Base.metadata.sorted_tables if t.name not in known and _is_filled(connection, t)
        ]
        if unknown:
            raise CannotCopy(
                f"Nobody says how to copy rows of {', '.join(unknown)}: name them in app/bench/days_copied.py"
            )

    def _columns_with_words(self, connection: Connection, table: Table) -> set[str]:
        """Those in which any of the day's words stands: to look for them elsewhere would take most of the time."""
        asked = [column.name for column in table.columns if _is_text(column.type) or _is_bytes(column.type)]
        if not asked:
            return set()
        words = Words(self.first)
        each = (
            "max(CASE WHEN "
            + " OR ".join(
                f"{_as_text(self.store, table, name)} LIKE '%{word}%'"
                for word in (words.tag, words.zone, words.group, words.date)
            )
            + " THEN 1 ELSE 0 END)"
            for name in asked
        )
        row = connection.execute(text(f"SELECT {', '.join(each)} FROM {table.name}")).one()
        return {name for name, found in zip(asked, row, strict=True) if found}

    def _insert(self, table: Table, day: int, shifts: Mapping[str, int]) -> str:
        names = [column.name for column in table.columns]
        values = [self._value(table, name, day, shifts) for name in names]
        into = f"INSERT INTO {table.name} ({', '.join(map(_quoted, names))})"
        return f"{into} SELECT {', '.join(values)} FROM {_kept(table)} WHERE true{_LATER_STANDS.get(table.name, '')}"

    def _value(self, table: Table, name: str, day: int, shifts: Mapping[str, int]) -> str:
        kind, column = table.columns[name].type, _quoted(name)
        if name in IDS[table.name]:
            return f"{column} + {shifts.get(IDS[table.name][name], 0)}"
        if (table.name, name) in _HASHED:
            made = _HASHED[table.name, name]
            return made.format(column=column, tag=Words(day).tag.upper(), messages=shifts["messages"])
        if _is_moment(kind):
            return self._moved(column, kind, day)
        if name not in self._worded[table.name]:
            return column
        if _is_bytes(kind):
            replaced = self._replaced(_as_text(self.store, table, name), day)
            return f"CAST({replaced} AS BLOB)" if self.store.is_sqlite else f"convert_to({replaced}, 'UTF8')"
        return self._replaced(column, day)

    def _moved(self, column: str, kind: Any, day: int) -> str:
        """SQLite keeps instants as text, all of them of the day itself."""
        days = day - self.first
        if self.store.is_sqlite:
            return f"replace({column}, '{Words(self.first).date}', '{Words(day).date}')"
        return f"{column} + {days}" if isinstance(kind, Date) else f"{column} + make_interval(hours => {24 * days})"

    def _replaced(self, column: str, day: int) -> str:
        for old, new in self._words(day):
            column = f"replace({column}, '{old}', '{new}')"
        return column

    def _words(self, day: int) -> Iterator[tuple[str, str]]:
        was, words = Words(self.first), Words(day)
        for name in ("tag", "zone", "group", "date"):
            old, new = getattr(was, name), getattr(words, name)
            if old != new:
                yield old, new

    def _add(self, session: Session, mapped: type[Any], columns: Sequence[str], day: int) -> None:
        key = [column.name for column in mapped.__table__.primary_key]
        there = {tuple(row[name] for name in key): row for row in _rows(session, mapped)}
        made = []
        for row in self._sums[mapped]:
            named = {name: self._reworded(row[name], day) for name in key}
            had = there.get(tuple(named.values()), {})
            made.append(named | {name: row[name] + had.get(name, 0) for name in columns})
        upsert(session, mapped, key, columns, made)

    def _reworded(self, value: Any, day: int) -> Any:
        for old, new in self._words(day):
            value = value.replace(old, new) if isinstance(value, str) else value
        return value


def _copied() -> list[Table]:
    """In an order in which they can be filled."""
    return [table for table in Base.metadata.sorted_tables if table.name in IDS]


def _kept(table: Table) -> str:
    return f"bench_day_{table.name}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _is_filled(connection: Connection, table: Table) -> bool:
    return connection.execute(select(1).select_from(table).limit(1)).first() is not None


def _own_id(table: Table) -> str | None:
    return next((name for name, of in IDS[table.name].items() if of == table.name), None)


def _highest(connection: Connection, table: Table) -> int:
    highest: int = connection.execute(select(func.max(table.columns[_own_id(table) or ""]))).scalar_one()
    return highest


def _go_on_numbering(connection: Connection, table: Table) -> None:
    """PostgreSQL's sequences do not see what was inserted with its number; SQLite's do."""
    name = _own_id(table)
    if name is not None and connection.dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('{table.name}', '{name}')"
        connection.execute(text(f"SELECT setval({sequence}, (SELECT max({name}) FROM {table.name}))"))


def _rows(session: Session, mapped: type[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(select(mapped.__table__)).mappings()]


def _plain(kind: Any) -> Any:
    return kind.impl if isinstance(kind, TypeDecorator) else kind


def _is_text(kind: Any) -> bool:
    return isinstance(_plain(kind), String)


def _is_bytes(kind: Any) -> bool:
    return isinstance(_plain(kind), LargeBinary)


def _is_moment(kind: Any) -> bool:
    return isinstance(_plain(kind), DateTime | Date)


def _as_text(store: Store, table: Table, name: str) -> str:
    if not _is_bytes(table.columns[name].type):
        return _quoted(name)
    return f"CAST({_quoted(name)} AS TEXT)" if store.is_sqlite else f"convert_from({_quoted(name)}, 'UTF8')"
