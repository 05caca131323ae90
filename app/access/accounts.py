"""Accounts of people: a name, an Argon2id hash and a role."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.roles import Role
from app.store.access_tables import Account

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
PASSWORD_LEAST = 12
PASSWORD_MOST = 256

_HASHER = PasswordHasher()
# Each check takes 64 MiB and four threads; a burst of guesses must not take the machine.
_CHECKS = BoundedSemaphore(2)


class AccountError(ValueError):
    """The account cannot be made or changed like this; the text says why and what to do."""


class AccountStays(AccountError):
    """The account is as it was: it is so already, or must stay so; the text says why and what to do."""


@dataclass(frozen=True)
class AccountOwner:
    """A person who proved who they are. ``stamp`` changes with the password, so that it ends older sessions."""

    name: str
    role: Role
    stamp: str


@dataclass(frozen=True)
class AccountRecord:
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


def create_account(session: Session, name: str, password: str, role: Role, now: datetime) -> None:
    """A new account; raises AccountError for a name that is taken or no name, and for a weak password."""
    if not _NAME.fullmatch(name):
        raise AccountError("an account's name has 1 to 64 letters, digits or . _ @ -, and begins with one of the first")
    values = {"name": name, "password_hash": _hash(password), "role": role.value, "created_at": now}
    try:
        with session.begin_nested():
            session.execute(insert(Account).values(values))
    except IntegrityError:
        raise AccountError(f"account {name} exists already; set its password or choose another name") from None


def set_password(session: Session, name: str, password: str) -> AccountRecord:
    """The account's new password; its sessions end. One that is disabled stays so."""
    row = _known(session, name)
    row.password_hash = _hash(password)
    return _record(row)


def disable_account(session: Session, name: str, now: datetime) -> None:
    """The account can do nothing any more, from its next request on. Its name stays taken: the trail names it.

    Raises AccountStays for one that is disabled, and for the last administrator, without whom nobody is one.
    """
    admins = session.scalars(
        select(Account)
        .where(Account.role == Role.ADMIN.value, Account.disabled_at.is_(None))
        .order_by(Account.name)
        .with_for_update()
    )
    enabled_admins = [row.name for row in admins]
    row = _known(session, name)
    if row.disabled_at is not None:
        raise AccountStays(f"account {name} is disabled already")
    if enabled_admins == [name]:
        raise AccountStays(
            f"account {name} is the last administrator that is enabled; make or enable another one first, "
            "with `lineside accounts create NAME --role admin` or `lineside accounts enable NAME`"
        )
    row.disabled_at = now


def enable_account(session: Session, name: str) -> None:
    """A disabled account is good again, with the role and the password it had; AccountStays where it is enabled."""
    row = _known(session, name)
    if row.disabled_at is None:
        raise AccountStays(f"account {name} is enabled already")
    row.disabled_at = None


def list_accounts(session: Session) -> list[AccountRecord]:
    return [_record(row) for row in session.scalars(select(Account).order_by(Account.name))]


def authenticate_account(session: Session, name: str, password: str) -> AccountOwner | None:
    """The account whose name and password these are; None otherwise, after the same work whatever was wrong."""
    row = session.get(Account, name)
    stored = row.password_hash if row is not None else _nobodys_hash()
    matches = _verifies(stored, password)
    return _owner(row) if row is not None and matches and row.disabled_at is None else None


def load_account(session: Session, name: str) -> AccountOwner | None:
    """The account of a session that was begun earlier; None once it is disabled."""
    row = session.get(Account, name)
    return _owner(row) if row is not None and row.disabled_at is None else None


def _owner(row: Account) -> AccountOwner:
    return AccountOwner(row.name, Role(row.role), hashlib.sha256(row.password_hash.encode()).hexdigest()[:16])


def _verifies(stored: str, password: str) -> bool:
    with _CHECKS:
        try:
            return _HASHER.verify(stored, password[:PASSWORD_MOST])
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    """Checked in place of the hash of an account that does not exist."""
    return _HASHER.hash("nobody has this password")


def _hash(password: str) -> str:
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise AccountError(f"a password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters; choose a longer one")
    return _HASHER.hash(password)


def _record(row: Account) -> AccountRecord:
    return AccountRecord(row.name, Role(row.role), row.created_at, row.disabled_at)


def _known(session: Session, name: str) -> Account:
    row = session.get(Account, name, with_for_update=True, populate_existing=True)
    if row is None:
        raise AccountError(f"there is no account {name}; see `lineside accounts list`")
    return row
