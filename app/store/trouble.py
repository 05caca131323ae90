"""Whether a failure is the database's own, or lies in what was to be saved."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.store.leases import take_lease
from app.store.session import Store

# Of SQLSTATE: connection, transaction state, rollback (deadlock), lack of resources, operator, system; and a lock that
# did not come in time. A statement that took too long (57014) may be one message's doing.
_TROUBLE_CLASSES = frozenset({"08", "25", "40", "53", "57", "58"})
_TROUBLE_STATES = frozenset({"55P03"})
_ONE_MESSAGE_STATES = frozenset({"57014"})
_SQLITE_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


def is_database_trouble(error: BaseException | None) -> bool:
    """Whether the database itself says that it is away, full, locked, read-only or out of something."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_TROUBLE
    state = getattr(error.orig, "sqlstate", None)
    if state is None or state in _ONE_MESSAGE_STATES:
        return False
    return state in _TROUBLE_STATES or state[:2] in _TROUBLE_CLASSES


def cannot_save_anything(store: Store, error: BaseException | None, now: datetime) -> bool:
    """The same, where one message alone could not be saved: if in doubt, a small write tells whether others can be."""
    if is_database_trouble(error):
        return True
    if not isinstance(error, SQLAlchemyError):
        return False
    try:
        with store.writing() as session:
            take_lease(session, "write-probe", secrets.token_hex(16), now, 0)
    except SQLAlchemyError:
        return True
    return False


def raise_if_not_of_data(error: StatementError) -> None:
    """What is to be written may be at fault, or how it is to be bound; anything else is the database's trouble."""
    if isinstance(error, DBAPIError) and not isinstance(error, DataError):
        raise error
