"""Bring a database to the newest schema. Safe to call by several processes at once and safe to repeat."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.store.revision import MIGRATIONS
from app.store.session import Store, allow_long_statements

# Any fixed number: two processes that migrate one PostgreSQL database wait for each other on it.
MIGRATION_LOCK = 7_305_001


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(store: Store) -> None:
    """Create or upgrade every table in one transaction; a kill half-way leaves the old schema."""
    if store.is_sqlite and store.engine.url.database:
        Path(store.engine.url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with store.engine.begin() as connection:
        allow_long_statements(connection)
        _wait_for_other_migrations(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _wait_for_other_migrations(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
