"""The migrations make exactly the tables that the code expects, on both databases, and may be repeated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app.store.migrate import current_revision, newest_revision, upgrade
from app.store.session import Store
from app.store.tables import Base


def test_migrations_and_tables_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_an_upgrade_may_be_repeated(store: Store) -> None:
    upgrade(store)

    assert current_revision(store) == newest_revision()


@pytest.mark.parametrize("_round", range(3))
def test_two_processes_may_upgrade_at_once(tmp_path: Path, _round: int) -> None:
    stores = [Store(f"sqlite:///{tmp_path}/new.db") for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, stores))

    assert {current_revision(store) for store in stores} == {newest_revision()}
    for store in stores:
        store.dispose()
