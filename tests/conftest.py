"""What all tests share: databases of both kinds, made empty for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import settings

from app.access import accounts
from app.inbox.claim import ensure_lanes
from app.store.migrate import upgrade
from app.store.session import Store
from tests.factories import demo_topology
from tests.services import postgres_database

# How long an example takes depends on what else the machine does.
settings.register_profile("lineside", deadline=None)
settings.load_profile("lineside")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _prepare(Store(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    with postgres_database() as url:
        _prepare(Store(url))
        yield url.rsplit("/", 1)[-1]


def _prepare(store: Store) -> None:
    upgrade(store)
    with store.writing() as session:
        ensure_lanes(session, [(plant.code, plant.lanes) for plant in demo_topology().plants.values()])
    store.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty, migrated SQLite database."""
    path = tmp_path / "lineside.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    """An empty, migrated PostgreSQL database."""
    with postgres_database(f"TEMPLATE {postgres_template}") as url:
        yield url


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url)
    yield store
    store.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same promise on both databases."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    store = Store(url)
    yield store
    store.dispose()


@pytest.fixture(autouse=True, scope="session")
def _plain_tracebacks() -> None:
    """Tracebacks with every local value, in colours, took seconds for each message that fails on purpose."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


@pytest.fixture(autouse=True, scope="session")
def _cheap_passwords() -> Iterator[None]:
    """Passwords of tests protect nothing; hashing them as in earnest took a quarter of the quick tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield
