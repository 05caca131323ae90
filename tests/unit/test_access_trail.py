"""Whoever changes who may leaves their name, and never a secret."""

from __future__ import annotations

import json

import pytest

from app.access.accounts import AccountError
from app.access.roles import Role
from app.audit.trail import Recorded, read_trail
from app.demo.first_run import make_credentials
from app.demo.sending import shift_keys
from app.store.session import Store
from app.web import access_acts
from tests.factories import NOON, demo_topology
from tests.web import PASSWORD


def trail(store: Store) -> list[Recorded]:
    with store.reading() as session:
        return read_trail(session, 50)[::-1]


def test_every_change_of_who_may_is_noted_with_its_actor(sqlite_store: Store) -> None:
    _, key_id = access_acts.make_key(sqlite_store, "line 4", "mes", ["P100"], "anna", NOON)
    access_acts.revoke_key(sqlite_store, key_id, "anna", NOON)
    access_acts.make_account(sqlite_store, "ben", PASSWORD, Role.VIEWER, "anna", NOON)
    access_acts.set_password(sqlite_store, "ben", "another password", "ben", NOON)
    access_acts.disable_account(sqlite_store, "ben", "anna", NOON)

    assert [(entry.actor, entry.action, entry.subject) for entry in trail(sqlite_store)] == [
        ("anna", "key.created", f"key:{key_id}"),
        ("anna", "key.revoked", f"key:{key_id}"),
        ("anna", "account.created", "account:ben"),
        ("ben", "account.password_set", "account:ben"),
        ("anna", "account.disabled", "account:ben"),
    ]


def test_the_trail_holds_no_secret(sqlite_store: Store) -> None:
    plain, _ = access_acts.make_key(sqlite_store, "line 4", "mes", [], "anna", NOON)
    access_acts.make_account(sqlite_store, "ben", PASSWORD, Role.VIEWER, "anna", NOON)

    noted = json.dumps([[entry.subject, entry.detail] for entry in trail(sqlite_store)])

    assert plain not in noted
    assert PASSWORD not in noted


def test_what_was_not_done_is_not_noted(sqlite_store: Store) -> None:
    with pytest.raises(AccountError):
        access_acts.make_account(sqlite_store, "ben", "short", Role.VIEWER, "anna", NOON)
    with pytest.raises(AccountError):
        access_acts.disable_account(sqlite_store, "nobody", "anna", NOON)

    assert access_acts.revoke_key(sqlite_store, 7, "anna", NOON) is False
    assert trail(sqlite_store) == []


def test_what_a_first_run_makes_stands_in_the_trail_with_who_ran_it(sqlite_store: Store) -> None:
    made = make_credentials(sqlite_store, demo_topology(), "cli:ann", NOON)
    with shift_keys(sqlite_store, 1, ["mes"], "cli:ann", lambda: NOON):
        pass

    assert made is not None
    assert {entry.actor for entry in trail(sqlite_store)} == {"cli:ann"}
    assert [(entry.action, entry.subject) for entry in trail(sqlite_store)] == [
        ("account.created", f"account:{made.account}"),
        ("key.created", "key:1"),
        ("key.created", "key:2"),
        ("key.revoked", "key:2"),
    ]
