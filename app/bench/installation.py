"""An installation of Lineside of its own for one run: home, ports, database, broker, practice systems, processes."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import select

from app.access.keys import create_key
from app.bench import armed
from app.bench.arena import LEASE_SECONDS, Arena
from app.bench.counting import Books, Stock
from app.bench.faulty_proxy import FaultyProxy
from app.bench.ground import (
    Broker,
    Database,
    embedded_broker,
    free_port,
    postgres_database,
    rabbitmq_host,
    sqlite_database,
)
from app.bench.layout import UNDER_FIRE, Layout
from app.bench.practice_systems import ERP, TRYTON, PracticeSystems
from app.bench.reports import SOURCE
from app.bench.tryton_books import TrytonBooks
from app.bench.tryton_ground import TrytonServer, postgres_tryton, sqlite_tryton
from app.clock import utc_now
from app.demo.erp_processes import Progress
from app.projections.stock_lists import total
from app.stack.births import Births
from app.stack.ports import NeededPort
from app.stack.procfile import BROKER, product_programs
from app.stack.programs import common_environment
from app.stack.running import answers, claimed_home, prepare_database, running_stack, wait_until
from app.stack.supervisor import Pauses, Supervisor
from app.store.ledger_tables import ItemStock
from app.store.session import Store
from config.settings import Settings, load_settings, secret_variable
from config.topology_file import load_topology

Stack = Literal["sqlite+valkey", "postgresql+rabbitmq"]
STACKS: tuple[Stack, ...] = get_args(Stack)

POSTGRES_URL = "postgresql://postgres@127.0.0.1:5432/postgres"
RABBITMQ_URL = "amqp://guest:guest@127.0.0.1:5672//"

PROCESSES = (BROKER, "web", "work", "post", "relay", "beat", "watch")
# Killed processes come back soon: a run is to spend its time under fire, not waiting.
PAUSES = Pauses(first_seconds=0.1, longest_seconds=0.5)


@dataclass(frozen=True)
class Ground:
    """Which stack, and the servers that give a run a database and a virtual host of its own. ``cache_dir`` keeps the
    Tryton that is built once on SQLite; on PostgreSQL the server keeps it."""

    stack: Stack
    database_url: str = POSTGRES_URL
    broker_url: str = RABBITMQ_URL
    cache_dir: Path = Path(tempfile.gettempdir()) / "lineside-cache"

    def database(self, home: Path) -> AbstractContextManager[Database]:
        return sqlite_database(home) if self.stack == "sqlite+valkey" else postgres_database(self.database_url)

    def broker(self, home: Path) -> AbstractContextManager[Broker]:
        return embedded_broker(home) if self.stack == "sqlite+valkey" else rabbitmq_host(self.broker_url)

    @contextmanager
    def tryton(self, home: Path, progress: Progress) -> Iterator[TrytonServer]:
        if self.stack == "sqlite+valkey":
            yield sqlite_tryton(home, self.cache_dir, progress)
        else:
            with postgres_tryton(self.database_url, progress) as server:
                yield server


@dataclass(frozen=True)
class Installation:
    """A running one. ``key`` is that of the source over HTTP."""

    settings: Settings
    store: Store
    systems: PracticeSystems
    arena: Arena
    key: str
    tryton: TrytonBooks | None = None

    def books(self) -> Books:
        """All that the targets hold now, in their own words, beside what Lineside says."""
        entries, stock = [*self.systems.books.entries()], {ERP: self.systems.books.stock()}
        picture = self._picture()
        if self.tryton is None:
            return Books(entries, stock, picture=picture)
        state = self.tryton.read()
        stock_of_all = {**stock, TRYTON: state.stock}
        return Books([*entries, *state.entries], stock_of_all, state.half_way, state.drafts, picture)

    def _picture(self) -> Stock:
        with self.store.reading() as session:
            rows = session.scalars(select(ItemStock))
            return {(row.plant, row.item): total(row) for row in rows}

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"


@contextmanager
def installation(
    home: Path,
    ground: Ground,
    layout: Layout = UNDER_FIRE,
    with_tryton: bool = False,
    progress: Progress = lambda share, doing: None,
) -> Iterator[Installation]:
    """Everything runs while the block does, and nothing of it is left afterwards but the home."""
    with ExitStack() as ending:
        home.mkdir(parents=True, exist_ok=True)
        tryton = ending.enter_context(ground.tryton(home, progress)) if with_tryton else None
        database = ending.enter_context(ground.database(home))
        broker = ending.enter_context(ground.broker(home))
        systems = ending.enter_context(PracticeSystems(home / "books.db", layout.busy))
        urls = {code: systems.url(system) for code, system in layout.targets.items()}
        urls |= {TRYTON: tryton.url} if tryton else {}
        proxies = {code: ending.enter_context(FaultyProxy(url)) for code, url in urls.items()}
        config = home / "topology.yaml"
        config.write_text(layout.text({code: proxy.url for code, proxy in proxies.items()}), encoding="utf-8")
        environment = _environment(home, config, database.url, broker.url)
        environment |= {secret_variable(TRYTON): tryton.key} if tryton else {}
        settings = load_settings(environment)
        topology = load_topology(config)
        say = _log(home)
        port = NeededPort("web", settings.host, settings.port, "LINESIDE_PORT")
        instance = ending.enter_context(claimed_home(settings, [port], say))
        prepare_database(settings, topology)
        store = Store(settings.database_url, pool_size=2)
        ending.callback(store.dispose)
        commands = {name: line for name, line in product_programs(settings, topology).items() if name in PROCESSES}
        commands |= {TRYTON: tryton.command()} if tryton else {}
        environment |= common_environment(settings)
        with store.writing() as session:
            key, _ = create_key(session, "bench", SOURCE, [], utc_now())
        births = Births(settings, environment, forks=True, nursery=armed.MODULE)
        supervisor = ending.enter_context(running_stack(settings, topology, instance, commands, births, say, PAUSES))
        arena = Arena(supervisor, commands, environment, armed.switches_of(settings), proxies, database, broker)
        ending.callback(arena.later.close)
        yield Installation(settings, store, systems, arena, key, _books_of(tryton, supervisor))


def _books_of(tryton: TrytonServer | None, supervisor: Supervisor) -> TrytonBooks | None:
    if tryton is None:
        return None
    wait_until(lambda: answers(tryton.url), supervisor, "Tryton")
    return TrytonBooks(tryton.url, tryton.key)


def _environment(home: Path, config: Path, database_url: str, broker_url: str) -> dict[str, str]:
    """Every setting that a run depends on, whatever the caller's environment says."""
    return {
        "LINESIDE_HOME": str(home),
        "LINESIDE_CONFIG": str(config),
        "LINESIDE_DATABASE_URL": database_url,
        "LINESIDE_BROKER_URL": broker_url,
        "LINESIDE_HOST": "127.0.0.1",
        "LINESIDE_PORT": str(free_port()),
        "LINESIDE_FLOWER_PORT": str(free_port()),
        "LINESIDE_LEASE_SECONDS": str(LEASE_SECONDS),
        "LINESIDE_BATCH_SIZE": "50",
        "LINESIDE_WEB_WORKERS": "2",
        "LINESIDE_WEB_THREADS": "4",
        "LINESIDE_WORK_PROCESSES": "2",
        "LINESIDE_POST_THREADS": "8",
        "LINESIDE_SECRET_KEY": secrets.token_hex(32),
        "LINESIDE_LOG_LEVEL": "INFO",
    }


def _log(home: Path) -> Callable[[str], None]:
    """Every death of a process is news elsewhere; here it goes into a file."""
    folder = home / "log"
    folder.mkdir(exist_ok=True)

    def say(text: str) -> None:
        with (folder / "bench.log").open("a", encoding="utf-8") as log:
            log.write(f"{utc_now().isoformat()} {text}\n")

    return say
