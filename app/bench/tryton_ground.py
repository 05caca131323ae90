"""A Tryton of a run's own: its database copied from one that was built once, its server, and what it says of itself."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from app.bench.ground import GroundMissing, free_port, with_psycopg
from app.demo.erp import on_sqlite, place_erp
from app.demo.erp_processes import ErpDatabase, Progress, build_fingerprint, fill, new_key, require_tryton, server

TEMPLATES = "lineside_erp_"
# The lock of those who look for the template, build it and copy it; any number that nobody else uses.
BUILD_LOCK = 0x11DE51DE
# PostgreSQL keeps two writers apart. Their calls are bound by the processor, so more would gain nothing.
POSTGRES_THREADS = 4


@dataclass(frozen=True)
class TrytonServer:
    """One that is to be started by ``command``. ``key`` is its service user's."""

    database: ErpDatabase
    threads: int
    key: str = field(repr=False)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.database.name}"

    def command(self) -> list[str]:
        """Everything that it needs stands in the command: the environment is of Lineside's processes."""
        arguments, environment = server(self.database, self.port, self.threads)
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), *arguments]


def sqlite_tryton(home: Path, cache_dir: Path, progress: Progress) -> TrytonServer:
    """On a file in this home. Built in ``cache_dir`` where it is not there yet."""
    database = on_sqlite(place_erp(home, progress, cache_dir))
    return TrytonServer(database, 1, new_key(database))


@contextmanager
def postgres_tryton(server_url: str, progress: Progress) -> Iterator[TrytonServer]:
    """On a database of this server, dropped in the end. The one that it is copied from stays there for later runs,
    until another version of Tryton or of its seeding takes its place."""
    require_tryton()
    name = f"lineside_bench_erp_{os.getpid()}_{secrets.token_hex(4)}"
    url = make_url(with_psycopg(server_url))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    database = ErpDatabase(name, _tryton_uri(url))
    try:
        try:
            with admin.connect() as connection:
                _copy(connection, database, progress)
        except DBAPIError as error:
            raise GroundMissing(f"PostgreSQL gives Tryton no database: {str(error.orig).splitlines()[0]}") from None
        yield TrytonServer(database, POSTGRES_THREADS, new_key(database))
    finally:
        with admin.connect() as connection:
            _drop(connection, name)
        admin.dispose()


def _tryton_uri(url: Any) -> str:
    """Tryton's form: the server, and the database by its name only."""
    return str(url.set(drivername="postgresql", database="").render_as_string(hide_password=False)).rstrip("/") + "/"


def _copy(connection: Connection, database: ErpDatabase, progress: Progress) -> None:
    """Nobody builds, drops or copies the template meanwhile; the lock ends with the connection at the latest."""
    template = TEMPLATES + build_fingerprint()
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": BUILD_LOCK})
    try:
        held = {row[0] for row in connection.execute(text("SELECT datname FROM pg_database"))}
        if template not in held:
            for earlier in (one for one in held if one.startswith(TEMPLATES)):
                _drop(connection, earlier)
            _build(connection, template, database.uri, progress)
        connection.execute(text(f"CREATE DATABASE {database.name} TEMPLATE {template}"))
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": BUILD_LOCK})


def _build(connection: Connection, template: str, uri: str, progress: Progress) -> None:
    """Under another name until it is whole: what a killed build leaves behind is dropped by the next one."""
    unfinished = f"{TEMPLATES}build"
    connection.execute(text(f"CREATE DATABASE {unfinished}"))
    with tempfile.TemporaryDirectory(prefix="lineside-erp-") as work:
        fill(ErpDatabase(unfinished, uri), Path(work), progress)
    connection.execute(text(f"ALTER DATABASE {unfinished} RENAME TO {template}"))


def _drop(connection: Connection, name: str) -> None:
    connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
