"""Rows by keys of several columns, found by an index on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, tuple_

NARROWING = 3
"""Columns by which keys are narrowed: the index is asked for each combination of their values."""


def among(columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Whether the row has one of these keys. SQLite 3.40 looks a list of keys of several columns up by no index and
    reads the whole table; told the values of the first columns besides, it uses the index that begins with them."""
    narrowing = (column.in_(sorted({key[place] for key in keys})) for place, column in enumerate(columns[:NARROWING]))
    return and_(tuple_(*columns).in_(keys), *narrowing)
