"""The database, opened so that what can be wrong with it ends the command with one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from app.commands.exits import Unreachable, Unusable
from app.store.migrate import current_revision, newest_revision
from app.store.session import Store
from config.settings import Settings


@contextmanager
def reachable_database(settings: Settings) -> Iterator[Store]:
    """The database, whatever its schema; one that does not answer ends the command with a clear line."""
    store = Store(settings.database_url, pool_size=2)
    try:
        yield store
    except DBAPIError as error:
        url = store.engine.url.render_as_string(hide_password=True)
        first_line = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        raise Unreachable(
            f"The database at {url} cannot be used: {first_line}. Check LINESIDE_DATABASE_URL and that the server runs."
        ) from None
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
