"""Statements of the hot paths, compiled once and handed to the driver as they are.

SQLAlchemy's own way to execute a Core statement looks its compiled form up by a key of all its parts, expands lists,
makes an execution context and a result: 60 to 100 microseconds, of which the database needs 3. A message that comes
alone takes some eighty statements through the pipeline, so these are compiled once for each database. What a statement
is, how its values are written and read, and what its errors are called stays SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]
Source = tuple[str | None, int | None, Convert | None, Any]
"""Where a value of the driver's comes from: the parameter of this name, its item (None: the whole) and what is made of
it; without a name it is always the last."""

FORMS_MOST = 256
"""How many forms are kept of one statement, which has one for each length that its lists come in."""
PADDED_MOST = 512
"""Lists up to this long come in the lengths 0, 1, 2, 4, 8 ... only."""


class Prepared:
    """One statement, made once for all threads: a select, or an insert, update or delete with or without RETURNING.

    Its parameters are given by name, a list for an expanding one; an ``insert`` has the columns of its first row.
    Raises what SQLAlchemy raises: DBAPIError and its kinds, and StatementError where a value is not of its type.
    """

    def __init__(self, statement: Any, **by_dialect: Any) -> None:
        """``by_dialect``: the form of a database that needs its own, as ``sqlite=...``."""
        self._statement = statement
        self._by_dialect = by_dialect
        self._forms: dict[tuple[Any, ...], _Form] = {}
        self._lock = Lock()
        self._takes_columns = isinstance(statement, Insert)

    def rows(self, session: Session, **parameters: Any) -> list[Any]:
        """All its rows, as named tuples."""
        connection = _connection(session)
        if connection.dispatch.before_cursor_execute:  # somebody listens to every statement
            return list(connection.execute(self._own(connection.dialect), _padded(parameters)).all())
        form, given = self._form(connection.dialect, parameters)
        with _Cursor(connection, form.sql) as cursor:
            cursor.execute(form.sql, form.values(given))
            return form.read(cursor)

    def first(self, session: Session, **parameters: Any) -> Any:
        """Its first row, or None."""
        found = self.rows(session, **parameters)
        return found[0] if found else None

    def scalars(self, session: Session, **parameters: Any) -> list[Any]:
        """The first column of all its rows."""
        return [row[0] for row in self.rows(session, **parameters)]

    def scalar(self, session: Session, **parameters: Any) -> Any:
        """The first column of its first row, or None."""
        found = self.rows(session, **parameters)
        return found[0][0] if found else None

    def run(self, session: Session, **parameters: Any) -> int:
        """Execute what gives no rows; returns how many it concerned."""
        connection = _connection(session)
        if connection.dispatch.before_cursor_execute:
            return int(connection.execute(self._own(connection.dialect), _padded(parameters)).rowcount)
        form, given = self._form(connection.dialect, parameters)
        with _Cursor(connection, form.sql) as cursor:
            cursor.execute(form.sql, form.values(given))
            return int(cursor.rowcount)

    def run_each(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for each of these, which all have the same parameters."""
        if not rows:
            return
        connection = _connection(session)
        if connection.dispatch.before_cursor_execute:
            connection.execute(self._own(connection.dialect), rows)
            return
        form, _ = self._form(connection.dialect, rows[0])
        with _Cursor(connection, form.sql) as cursor:
            if len(rows) == 1:
                cursor.execute(form.sql, form.values(rows[0]))
            else:
                cursor.executemany(form.sql, [form.values(row) for row in rows])

    def _own(self, dialect: Dialect) -> Any:
        return self._by_dialect.get(dialect.name, self._statement)

    def _form(self, dialect: Dialect, parameters: Mapping[str, Any]) -> tuple[_Form, Mapping[str, Any]]:
        """The form for these, and them as it takes them."""
        lengths: tuple[int, ...] = ()
        for value in parameters.values():
            if isinstance(value, list):
                parameters = _padded(parameters)
                lengths = tuple([len(value) for value in parameters.values() if isinstance(value, list)])
                break
        key = (dialect.name, lengths, tuple(parameters) if self._takes_columns else ())
        form = self._forms.get(key)
        if form is None:
            form = _form_of(self._own(dialect), dialect, parameters)
            with self._lock:
                if len(self._forms) >= FORMS_MOST:
                    self._forms.clear()
                self._forms[key] = form
        return form, parameters


def _connection(session: Session) -> Connection:
    """The session's, which is asked for it once: a session of the store's is one transaction on one connection."""
    connection: Connection | None = session.info.get("connection")
    if connection is None or connection.closed or connection.invalidated or not connection.in_transaction():
        connection = session.info["connection"] = session.connection()
    return connection


def _padded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The last of a list again and again, which means the same to IN and NOT IN: else a statement with two lists would
    come in as many forms as there are pairs of lengths."""
    return {name: _lengthened(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _lengthened(values: list[Any]) -> list[Any]:
    count = len(values)
    if count < 3 or count > PADDED_MOST:
        return values
    return values + values[-1:] * ((1 << (count - 1).bit_length()) - count)


@dataclass
class _Form:
    """The text for one database, where its values come from, and how its rows are read. ``keys``: what the driver calls
    the values, where it takes them by name."""

    sql: str
    sources: tuple[Source, ...]
    keys: tuple[str, ...] | None
    dialect: Dialect
    types: tuple[Any, ...]
    row: Any
    converts: list[tuple[int, Convert]] | None = field(default=None)

    def values(self, parameters: Mapping[str, Any]) -> Any:
        values = []
        try:
            for name, item, convert, fixed in self.sources:
                if name is None:
                    values.append(fixed)
                    continue
                value = parameters[name] if item is None else parameters[name][item]
                values.append(value if convert is None else convert(value))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise StatementError(str(error), self.sql, None, error, hide_parameters=True) from error
        return dict(zip(self.keys, values, strict=True)) if self.keys is not None else values

    def read(self, cursor: Any) -> list[Any]:
        found = cursor.fetchall()
        if not found:
            return []
        make = self.row._make
        converts = self._converts(cursor)
        if not converts:
            return [make(values) for values in found]
        rows = []
        for found_row in found:
            values = list(found_row)
            for place, convert in converts:
                values[place] = convert(values[place])
            rows.append(make(values))
        return rows

    def _converts(self, cursor: Any) -> list[tuple[int, Convert]]:
        """What turns a column of the driver into its type's value; on PostgreSQL that depends on what it is there."""
        if self.converts is None:
            found = []
            for place, (kind, column) in enumerate(zip(self.types, cursor.description, strict=True)):
                convert = kind.dialect_impl(self.dialect).result_processor(self.dialect, column[1])
                if convert is not None:
                    found.append((place, convert))
            self.converts = found
        return self.converts


def _form_of(statement: Any, dialect: Dialect, parameters: Mapping[str, Any]) -> _Form:
    columns_given = list(parameters) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns_given)
    state = compiled.construct_expanded_state({**_defaults(compiled), **parameters})
    origins = {key: (name, item) for name, every in state.parameter_expansion.items() for item, key in enumerate(every)}
    order = state.positiontup if state.positiontup is not None else list(state.parameters)
    sources = tuple(_source(key, origins.get(key), compiled, state, dialect, parameters) for key in order)
    columns = statement.exported_columns if hasattr(statement, "exported_columns") else ()
    names, types = list(columns.keys()) if columns else [], tuple(column.type for column in columns)
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    keys = tuple(order) if state.positiontup is None else None
    return _Form(state.statement, sources, keys, dialect, types, row)


def _defaults(compiled: Any) -> dict[str, Any]:
    """The values of columns that are not given and have one of their own."""
    columns = [*compiled.insert_prefetch, *compiled.update_prefetch]
    assert all(column.default.is_scalar for column in columns), "a default that has to be computed is to be given"
    return {column.key: column.default.arg for column in columns}


def _source(
    key: str, origin: tuple[str, int] | None, compiled: Any, state: Any, dialect: Dialect, parameters: Mapping[str, Any]
) -> Source:
    name, item = origin if origin is not None else (key, None)
    convert = state.processors.get(key)
    if convert is None and origin is None and (bind := compiled.binds.get(name)) is not None:
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if name in parameters:
        return name, item, convert, None
    fixed = state.parameters[key]
    return None, None, None, fixed if convert is None else convert(fixed)


class _Cursor:
    """The driver's own cursor; what it raises is told as SQLAlchemy tells it, and a connection that is gone is left."""

    def __init__(self, connection: Connection, sql: str) -> None:
        self._connection = connection
        self._sql = sql

    def __enter__(self) -> Any:
        self._cursor = self._connection.connection.cursor()
        return self._cursor

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self._cursor.close()
            return
        dialect: Any = self._connection.dialect
        if not isinstance(error, dialect.dbapi.Error):
            return
        is_gone = dialect.is_disconnect(error, self._connection.connection.dbapi_connection, self._cursor)
        told = DBAPIError.instance(
            self._sql,
            None,
            error,
            dialect.dbapi.Error,
            True,
            is_gone,
            dialect,
        )
        if is_gone:
            self._connection.invalidate(error)
        raise told from error
