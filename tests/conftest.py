"""What all tests share: databases of both kinds, made empty for each test."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest
import structlog
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, make_url
from werkzeug.routing import Rule

from app.access import accounts
from app.inbox.lanes import ensure_lanes
from app.store.migrate import upgrade
from app.store.postgres import connect_answering
from app.store.session import Store
from tests.factories import demo_topology
from tests.reused_database import ReusedDatabase
from tests.services import postgres_database

# How long an example takes depends on what else the machine does.
settings.register_profile("lineside", deadline=None)
settings.load_profile("lineside")

# What takes longest begins first: a process that is left alone with it in the end makes the others wait. All that is
# slow by itself follows, and then the rest. Chaos builds the ERP, half a minute of one processor, and the first after
# it do without.
LONGEST = (
    "chaos/test_nothing_is_lost_under_fire.py",
    "flow/test_permits.py",
    "flow/test_interleavings.py",
    "flow/test_the_demonstration_runs.py",
    "flow/test_ground_gives_way.py",
    "contract/test_tryton_posting.py",
    "contract/test_tryton_together.py",
    "contract/test_tryton_faults.py",
    "contract/test_tryton_orders.py",
    "flow/test_flower_shows_every_queue.py",
    "flow/test_bulkheads.py",
)
TESTS = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the modules, for ``--no-loadscope-reorder``; within a module it stays."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (places.get(item.path, len(LONGEST)), item.path not in slow))


def pytest_sessionstart() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: to look through it for garbage takes a tenth of the time, and
    while it is imported and collected there is none."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A test that was skipped proves nothing: what was missing is said, with how many promises stay unproven."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} skipped: {reason}")


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    return told[2].removeprefix("Skipped: ") if isinstance(told, tuple) else str(told)


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


@pytest.fixture(scope="session")
def postgres_reused(postgres_template: str) -> Iterator[ReusedDatabase]:
    with postgres_database(f"TEMPLATE {postgres_template}") as url:
        yield ReusedDatabase(url)


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
def postgres_url(postgres_reused: ReusedDatabase) -> str:
    """An empty, migrated PostgreSQL database."""
    postgres_reused.make_as_new()
    return postgres_reused.url


class MovingStore(Store):
    """A store that goes from one test's database to the next one's. What its engine compiled it keeps: compiling the
    same statements for each test anew took a sixth of the tests' time."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        event.listen(self.engine, "do_connect", self._turn_there)
        event.listen(self.engine, "connect", self._spare_the_disk)
        if not self.is_sqlite:  # whoever connects comes last
            event.remove(self.engine, "do_connect", connect_answering)
            event.listen(self.engine, "do_connect", connect_answering)

    def move_to(self, url: str) -> Self:
        self.dispose()
        self.url = url
        return self

    def _turn_there(self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        if self.is_sqlite:
            arguments[:] = [make_url(self.url).database]
        else:
            options["dbname"] = make_url(self.url).database

    def _spare_the_disk(self, connection: Any, _record: Any) -> None:
        """No test pulls the plug, so nothing has to reach the platters before it goes on."""
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA synchronous=OFF" if self.is_sqlite else "SET synchronous_commit TO off")
        if not self.is_sqlite:
            connection.commit()


@pytest.fixture(scope="session")
def moving_stores() -> dict[str, MovingStore]:
    return {}


@contextmanager
def open_store(stores: dict[str, MovingStore], kind: str, url: str) -> Iterator[Store]:
    if kind not in stores:
        stores[kind] = MovingStore(url)
    store = stores[kind].move_to(url)
    yield store
    store.dispose()


@pytest.fixture
def sqlite_store(moving_stores: dict[str, MovingStore], sqlite_url: str) -> Iterator[Store]:
    with open_store(moving_stores, "sqlite", sqlite_url) as store:
        yield store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, moving_stores: dict[str, MovingStore]) -> Iterator[Store]:
    """The same promise on both databases."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    with open_store(moving_stores, request.param, url) as store:
        yield store


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


@pytest.fixture(autouse=True, scope="session")
def _addresses_compiled_when_built() -> Iterator[None]:
    """Werkzeug compiles, for each rule of each application, two functions that build its address; an application of a
    test builds a handful, and has some 160 rules: compiling them took two thirds of making it."""
    compiled = Rule._compile_builder

    def compiled_later(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        build = cache(lambda: compiled(rule, append_unknown))
        return lambda self, **values: build()(self, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compiled_later)
        yield


@pytest.fixture(autouse=True, scope="session")
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one test's application compiled of the pages, the next one's takes over."""
    compiled = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {**Flask.jinja_options, "bytecode_cache": compiled})
        yield
