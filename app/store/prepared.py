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

    def rows(self, session: Session, **parameters: Any) -> list[Any]:
        """All its rows, as named tuples."""
        connection = session.connection()
        parameters = _padded(parameters)
        if connection.dispatch.before_cursor_execute:  # somebody listens to every statement
            return list(connection.execute(self._own(connection.dialect), parameters).all())
        form = self._form(connection.dialect, parameters)
        with _Cursor(connection, form.sql) as cursor:
            cursor.execute(form.sql, form.values(parameters))
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
        connection = session.connection()
        parameters = _padded(parameters)
        if connection.dispatch.before_cursor_execute:
            return int(connection.execute(self._own(connection.dialect), parameters).rowcount)
        form = self._form(connection.dialect, parameters)
        with _Cursor(connection, form.sql) as cursor:
            cursor.execute(form.sql, form.values(parameters))
            return int(cursor.rowcount)

    def run_each(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for each of these, which all have the same parameters."""
        if not rows:
            return
        connection = session.connection()
        if connection.dispatch.before_cursor_execute:
            connection.execute(self._own(connection.dialect), rows)
            return
        form = self._form(connection.dialect, rows[0])
        with _Cursor(connection, form.sql) as cursor:
            if len(rows) == 1:
                cursor.execute(form.sql, form.values(rows[0]))
            else:
                cursor.executemany(form.sql, [form.values(row) for row in rows])

    def _own(self, dialect: Dialect) -> Any:
        return self._by_dialect.get(dialect.name, self._statement)

    def _form(self, dialect: Dialect, parameters: Mapping[str, Any]) -> _Form:
        lengths = tuple(len(value) for value in parameters.values() if isinstance(value, list))
        columns = tuple(parameters) if isinstance(self._statement, Insert) else ()
        key = (dialect.name, lengths, columns)
        form = self._forms.get(key)
        if form is None:
            form = _form_of(self._own(dialect), dialect, parameters)
            with self._lock:
                if len(self._forms) >= FORMS_MOST:
                    self._forms.clear()
                self._forms[key] = form
        return form


def _padded(parameters: dict[str, Any]) -> dict[str, Any]:
    """The last of a list again and again, which means the same to IN and NOT IN: else a statement with two lists would
    come in as many forms as there are pairs of lengths."""
    return {name: _lengthened(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _lengthened(values: list[Any]) -> list[Any]:
    count = len(values)
    if count < 3 or count > PADDED_MOST:
        return values
    return values + values[-1:] * ((1 << (count - 1).bit_length()) - count)


@dataclass(frozen=True)
class _Place:
    """Where a value of the driver's comes from: the parameter ``name`` (its item ``item``), or ``fixed``."""

    key: str
    name: str
    item: int | None
    convert: Convert | None
    is_fixed: bool
    fixed: Any

    def value(self, parameters: Mapping[str, Any]) -> Any:
        if self.is_fixed:
            return self.fixed
        value = parameters[self.name]
        if self.item is not None:
            value = value[self.item]
        return value if self.convert is None else self.convert(value)


@dataclass
class _Form:
    """The text for one database, where its values come from, and how its rows are read. ``by_name``: the driver takes
    the values by name."""

    sql: str
    places: tuple[_Place, ...]
    by_name: bool
    dialect: Dialect
    types: tuple[Any, ...]
    row: Any
    converts: list[tuple[int, Convert]] | None = field(default=None)

    def values(self, parameters: Mapping[str, Any]) -> Any:
        try:
            if self.by_name:
                return {place.key: place.value(parameters) for place in self.places}
            return tuple([place.value(parameters) for place in self.places])
        except (ValueError, TypeError, ArithmeticError) as error:
            raise StatementError(str(error), self.sql, None, error, hide_parameters=True) from error

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
    keys = list(parameters) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    state = compiled.construct_expanded_state({**_defaults(compiled), **parameters})
    origins = {key: (name, item) for name, every in state.parameter_expansion.items() for item, key in enumerate(every)}
    order = state.positiontup if state.positiontup is not None else list(state.parameters)
    places = tuple(_place(key, origins.get(key), compiled, state, dialect, parameters) for key in order)
    columns = statement.exported_columns if hasattr(statement, "exported_columns") else ()
    names, types = list(columns.keys()) if columns else [], tuple(column.type for column in columns)
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    return _Form(state.statement, places, state.positiontup is None, dialect, types, row)


def _defaults(compiled: Any) -> dict[str, Any]:
    """The values of columns that are not given and have one of their own."""
    columns = [*compiled.insert_prefetch, *compiled.update_prefetch]
    assert all(column.default.is_scalar for column in columns), "a default that has to be computed is to be given"
    return {column.key: column.default.arg for column in columns}


def _place(
    key: str, origin: tuple[str, int] | None, compiled: Any, state: Any, dialect: Dialect, parameters: Mapping[str, Any]
) -> _Place:
    name, item = origin if origin is not None else (key, None)
    convert = state.processors.get(key)
    if convert is None and origin is None and (bind := compiled.binds.get(name)) is not None:
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if name in parameters:
        return _Place(key, name, item, convert, is_fixed=False, fixed=None)
    fixed = state.parameters[key]
    return _Place(key, name, item, None, is_fixed=True, fixed=fixed if convert is None else convert(fixed))


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
