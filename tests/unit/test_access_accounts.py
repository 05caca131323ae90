"""Accounts of people: a name, a password, a role, and a brake on guessing."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from app.access import accounts
from app.access.accounts import (
    AccountError,
    AccountStays,
    authenticate_account,
    create_account,
    disable_account,
    list_accounts,
    load_account,
    set_password,
)
from app.access.attempts import FREE_FAILURES, LONGEST_WAIT_SECONDS, REMEMBERED, Attempts
from app.access.identity import TooManyAttempts
from app.access.roles import Role
from app.access.sign_in import SignIn
from app.store.access_tables import Account
from app.store.session import Store
from tests.factories import NOON
from tests.unit.test_access_keys import Seconds
from tests.web import PASSWORD

# Taken while tests are collected: afterwards they hash cheaply.
IN_EARNEST = accounts._HASHER


@pytest.fixture
def anna(sqlite_store: Store) -> Store:
    with sqlite_store.writing() as session:
        create_account(session, "anna", PASSWORD, Role.OPERATOR, NOON)
    return sqlite_store


def test_name_and_password_prove_an_account_and_its_role(anna: Store) -> None:
    with anna.reading() as session:
        owner = authenticate_account(session, "anna", PASSWORD)

    assert owner is not None
    assert (owner.name, owner.role) == ("anna", Role.OPERATOR)


@pytest.mark.parametrize(("name", "password"), [("anna", "a wrong password!"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_or_password_proves_nothing(anna: Store, name: str, password: str) -> None:
    with anna.reading() as session:
        assert authenticate_account(session, name, password) is None


def test_passwords_are_hashed_as_slowly_as_owasp_asks() -> None:
    assert IN_EARNEST.memory_cost >= 19 * 1024
    assert IN_EARNEST.time_cost >= 2


def test_a_password_is_stored_as_argon2id_only(anna: Store) -> None:
    with anna.reading() as session:
        stored = session.scalars(select(Account)).one()

    assert stored.password_hash.startswith("$argon2id$")
    assert PASSWORD not in stored.password_hash


def test_a_disabled_account_proves_nothing_and_its_sessions_end(anna: Store) -> None:
    with anna.writing() as session:
        disable_account(session, "anna", NOON)

    with anna.reading() as session:
        assert authenticate_account(session, "anna", PASSWORD) is None
        assert load_account(session, "anna") is None


def test_a_new_password_replaces_the_old_one_and_changes_the_stamp_of_sessions(anna: Store) -> None:
    with anna.reading() as session:
        before = load_account(session, "anna")

    with anna.writing() as session:
        set_password(session, "anna", "another password")

    with anna.reading() as session:
        after = authenticate_account(session, "anna", "another password")
        assert authenticate_account(session, "anna", PASSWORD) is None
    assert before is not None
    assert after is not None
    assert before.stamp != after.stamp


@pytest.mark.parametrize(
    ("name", "password"), [("anna", PASSWORD), ("", PASSWORD), ("a b", PASSWORD), ("ben", "short"), ("ben", "x" * 257)]
)
def test_an_account_that_cannot_be_made_is_told_why(anna: Store, name: str, password: str) -> None:
    with pytest.raises(AccountError), anna.writing() as session:
        create_account(session, name, password, Role.VIEWER, NOON)


def test_each_role_includes_those_before_it() -> None:
    allowed = [[have.includes(need) for need in Role] for have in Role]

    assert allowed == [[True, False, False], [True, True, False], [True, True, True]]


def test_after_some_failures_each_further_one_doubles_the_wait_up_to_a_bound() -> None:
    seconds = Seconds()
    attempts = Attempts(seconds)

    waits = []
    for _ in range(20):
        attempts.failed("anna", "10.0.0.1")
        waits.append(attempts.wait_seconds("anna", "10.0.0.1"))

    assert waits[: FREE_FAILURES + 2] == [0, 0, 0, 0, 1, 2, 4]
    assert max(waits) == LONGEST_WAIT_SECONDS


def test_guesses_from_elsewhere_do_not_keep_a_person_out() -> None:
    attempts = Attempts(Seconds())

    for _ in range(50):
        attempts.failed("anna", "10.0.0.66")

    assert attempts.wait_seconds("anna", "10.0.0.1") == 0


def test_the_memory_of_failures_is_bounded() -> None:
    attempts = Attempts(Seconds())

    for number in range(REMEMBERED + 10):
        attempts.failed(f"name-{number}", "10.0.0.1")

    assert len(attempts._failures) == REMEMBERED


def test_a_guesser_is_made_to_wait_and_the_right_password_does_not_help_meanwhile(anna: Store) -> None:
    seconds = Seconds()
    sign_in = SignIn(anna, seconds)
    for _ in range(FREE_FAILURES):
        sign_in.authenticate("anna", "a wrong password", "10.0.0.1")

    with pytest.raises(TooManyAttempts):
        sign_in.authenticate("anna", PASSWORD, "10.0.0.1")
    seconds.now += LONGEST_WAIT_SECONDS

    assert sign_in.authenticate("anna", PASSWORD, "10.0.0.1") is not None


def test_a_password_that_was_right_a_moment_ago_is_not_hashed_again_but_not_for_long(anna: Store) -> None:
    seconds = Seconds()
    sign_in = SignIn(anna, seconds)
    sign_in.authenticate_again("anna", PASSWORD, "10.0.0.1")
    with anna.writing() as session:
        disable_account(session, "anna", NOON)

    soon = sign_in.authenticate_again("anna", PASSWORD, "10.0.0.1")
    seconds.now += 5
    later = sign_in.authenticate_again("anna", PASSWORD, "10.0.0.1")

    assert soon is not None
    assert later is None


def test_two_administrators_who_disable_each_other_at_once_leave_one(store: Store) -> None:
    with store.writing() as session:
        for name in ("anna", "ben"):
            create_account(session, name, PASSWORD, Role.ADMIN, NOON)
    refused: list[str] = []

    def disable_anna() -> None:
        try:
            with store.writing() as session:
                disable_account(session, "anna", NOON)
        except AccountStays as error:
            refused.append(str(error))

    second = threading.Thread(target=disable_anna)
    with store.writing() as session:
        disable_account(session, "ben", NOON)
        second.start()
        second.join(0.3)
    second.join(20)

    assert len(refused) == 1
    with store.reading() as session:
        assert [record.name for record in list_accounts(session) if record.disabled_at is None] == ["anna"]
