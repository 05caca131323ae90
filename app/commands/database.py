"""The database, opened so that what can be wrong with it ends the command with one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from app.commands.exits import Unreachable, Unusable
from app.store.revision import current_revision, newest_revision
from app.store.session import Store
from config.settings import Settings


@contextmanager
def plain_database_faults(url: str) -> Iterator[None]:
    """A database that does not answer, or refuses, as one line without its password."""
    try:
        yield
    except DBAPIError as error:
        told = str(error.orig).strip().splitlines()
        shown = make_url(url).render_as_string(hide_password=True)
        raise Unreachable(
            f"The database at {shown} cannot be used: {told[0] if told else type(error.orig).__name__}. "
            "Check LINESIDE_DATABASE_URL and that the server runs."
        ) from None


@contextmanager
def reachable_database(settings: Settings) -> Iterator[Store]:
    """The database, whatever its schema."""
    store = Store(settings.database_url, pool_size=2)
    try:
        with plain_database_faults(settings.database_url):
            yield store
    finally:
        store.dispose()


@contextmanager
def open_database(settings: Settings) -> Iterator[Store]:
    """The database in today's schema."""
    with reachable_database(settings) as store:
        path = store.engine.url.database
        if store.is_sqlite and not (path and Path(path).is_file()):
            raise Unusable(f"There is no database at {path} yet; run `lineside migrate`, or start Lineside once.")
        if current_revision(store) != newest_revision():
            raise Unusable("The database has another version's schema; run `lineside migrate` first.")
        yield store
