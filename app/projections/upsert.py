"""Write rows by their key, new or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def upsert(
    session: Session, table: type[Any], key: Sequence[str], values: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Rows whose key is there get these ``values`` anew; each row has both."""
    if not rows:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    replaced = {name: statement.excluded[name] for name in values}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=replaced)
    session.connection().execute(statement, list(rows))
