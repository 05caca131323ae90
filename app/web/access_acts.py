"""Keys and accounts, changed under a name: what was done and its record in the trail are committed together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.access import accounts, keys, party_keys
from app.access.roles import Role
from app.audit.trail import record
from app.store.session import Store


def make_key(
    store: Store, label: str, source: str, plants: Sequence[str], actor: str, now: datetime
) -> tuple[str, int]:
    """The new key in plain form, to be shown once, and its id."""
    with store.writing() as session:
        return add_key(session, label, source, plants, actor, now)


def add_key(
    session: Session, label: str, source: str, plants: Sequence[str], actor: str, now: datetime
) -> tuple[str, int]:
    """The same in the caller's transaction, where several things are made together or not at all."""
    plain, key_id = keys.create_key(session, label, source, plants, now)
    detail = {"label": label, "source": source, "plants": sorted(plants)}
    record(session, actor, "key.created", f"key:{key_id}", detail, now)
    return plain, key_id


def revoke_key(store: Store, key_id: int, actor: str, now: datetime) -> bool:
    """False when there is no such key or it was revoked before; then nothing is noted."""
    with store.writing() as session:
        if not keys.revoke_key(session, key_id, now):
            return False
        record(session, actor, "key.revoked", f"key:{key_id}", None, now)
    return True


def make_party_key(
    store: Store, label: str, kind: party_keys.Kind, party: str, actor: str, now: datetime
) -> tuple[str, int]:
    """The new key of a supplier or customer in plain form, to be shown once, and its id. Raises ValueError."""
    with store.writing() as session:
        plain, key_id = party_keys.create_party_key(session, label, kind, party, now)
        detail = {"label": label, "kind": kind, "party": party}
        record(session, actor, "party_key.created", f"party_key:{key_id}", detail, now)
    return plain, key_id


def revoke_party_key(store: Store, key_id: int, actor: str, now: datetime) -> bool:
    """False when there is no such key or it was revoked before; then nothing is noted."""
    with store.writing() as session:
        if not party_keys.revoke_party_key(session, key_id, now):
            return False
        record(session, actor, "party_key.revoked", f"party_key:{key_id}", None, now)
    return True


def make_account(store: Store, name: str, password: str, role: Role, actor: str, now: datetime) -> None:
    """Raises AccountError for a name that is taken or a password that is too weak."""
    with store.writing() as session:
        add_account(session, name, password, role, actor, now)


def add_account(session: Session, name: str, password: str, role: Role, actor: str, now: datetime) -> None:
    """The same in the caller's transaction."""
    accounts.create_account(session, name, password, role, now)
    record(session, actor, "account.created", f"account:{name}", {"role": role.value}, now)


def set_password(store: Store, name: str, password: str, actor: str, now: datetime) -> accounts.AccountRecord:
    with store.writing() as session:
        changed = accounts.set_password(session, name, password)
        record(session, actor, "account.password_set", f"account:{name}", None, now)
    return changed


def disable_account(store: Store, name: str, actor: str, now: datetime) -> None:
    """Raises AccountStays for the last administrator and for an account that is disabled; then nothing is noted."""
    with store.writing() as session:
        accounts.disable_account(session, name, now)
        record(session, actor, "account.disabled", f"account:{name}", None, now)


def enable_account(store: Store, name: str, actor: str, now: datetime) -> None:
    """Raises AccountStays for an account that is enabled; then nothing is noted."""
    with store.writing() as session:
        accounts.enable_account(session, name)
        record(session, actor, "account.enabled", f"account:{name}", None, now)
