"""Rows by keys of several columns, found by an index on both databases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Session

NARROWING = 3
"""Columns by which keys are narrowed: the index is asked for each combination of their values."""


def among(columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Whether the row has one of these keys. SQLite 3.40 looks a list of keys of several columns up by no index and
    reads the whole table; told the values of the first columns besides, it uses the index that begins with them."""
    narrowing = (column.in_(sorted({key[place] for key in keys})) for place, column in enumerate(columns[:NARROWING]))
    return and_(tuple_(*columns).in_(keys), *narrowing)


PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def listed(session: Session, keys: Sequence[tuple[Any, ...]], width: int) -> Subquery:
    """The keys as rows to be joined with, of ``width`` columns ``first``, ``second``, ``third`` ..., as text. They
    travel as one JSON text: a hundred thousand parameters would take longer than the look-ups, and are more than
    PostgreSQL takes."""
    text = bindparam(None, json.dumps(keys, separators=(",", ":")), Text)
    if session.connection().dialect.name == "sqlite":
        rows: Any = func.json_each(text).table_valued(column("value", Text), name="keys")
        places = (func.json_extract(rows.c.value, f"$[{number}]") for number in range(width))
    else:
        rows = func.json_array_elements(cast(text, JSON)).table_valued(column("value", JSON), name="keys")
        places = (rows.c.value.op("->>")(literal_column(str(number))) for number in range(width))
    named = (cast(place, Text).label(PLACES[number]) for number, place in enumerate(places))
    return select(*named).select_from(rows).subquery("listed")


def with_keys(session: Session, query: Any, columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]) -> Any:
    """The query's rows that have one of these keys, all of text. Each key is looked up by an index of these columns:
    for keys of more columns than ``among`` is narrowed by, of which the first say little (a plant, an item)."""
    asked = listed(session, keys, len(columns))
    return query.where(*(column == asked.c[name] for column, name in zip(columns, PLACES, strict=False)))
