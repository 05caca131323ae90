"""Keys and accounts at the terminal: shown once, never taken from the command line, and noted in the trail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.access.accounts import authenticate_account
from app.access.keys import authenticate_key
from app.audit.trail import read_trail
from app.cli import main
from app.store.session import Store

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> Run:
    def call(*arguments: str, typed: str | None = None) -> Result:
        values = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, arguments, env=values, input=typed)

    return call


def test_a_new_key_is_good_for_its_source_and_plants(run: Run, sqlite_store: Store) -> None:
    made = json.loads(run("keys", "create", "--source", "erp", "--label", "ERP", "--plant", "P100", "--json").stdout)

    with sqlite_store.reading() as session:
        owner = authenticate_key(session, made["key"])
    assert owner is not None
    assert (owner.source, owner.may_send_for("P100"), owner.may_send_for("P200")) == ("erp", True, False)


def test_a_key_is_shown_once(run: Run) -> None:
    made = json.loads(run("keys", "create", "--source", "erp", "--label", "ERP", "--json").stdout)

    listed = run("keys", "list", "--json").stdout + run("keys", "list").stdout

    assert made["key"] not in listed
    assert "ERP" in listed


def test_a_key_for_nobody_is_refused_with_the_names_that_there_are(run: Run) -> None:
    source = run("keys", "create", "--source", "erb", "--label", "x")
    plant = run("keys", "create", "--source", "mes-p100", "--label", "x", "--plant", "P200")

    assert (source.exit_code, plant.exit_code) == (2, 2)
    assert "mes-p100" in source.stderr
    assert "P100" in plant.stderr


def test_a_source_that_drops_files_is_given_no_key(run: Run) -> None:
    refused = run("keys", "create", "--source", "legacy-p300", "--label", "x")

    assert refused.exit_code == 2
    assert "intake: http" in refused.stderr


def test_a_revoked_key_is_good_for_nothing_and_revoking_again_is_a_no(run: Run, sqlite_store: Store) -> None:
    made = json.loads(run("keys", "create", "--source", "erp", "--label", "ERP", "--json").stdout)

    first, second = run("keys", "revoke", str(made["id"])), run("keys", "revoke", str(made["id"]))

    assert (first.exit_code, second.exit_code) == (0, 1)
    with sqlite_store.reading() as session:
        assert authenticate_key(session, made["key"]) is None


def test_revoked_keys_are_listed_only_where_all_are_asked_for(run: Run) -> None:
    for label in ("good one", "gone one"):
        run("keys", "create", "--source", "erp", "--label", label)
    run("keys", "revoke", "2")

    listed, everything = run("keys", "list"), run("keys", "list", "--all")
    told = json.loads(run("keys", "list", "--json").stdout)

    assert "gone one" not in listed.stdout
    assert "--all" in listed.stderr
    assert ("good one" in everything.stdout, "gone one" in everything.stdout) == (True, True)
    assert ([key["label"] for key in told["keys"]], told["revoked_not_shown"]) == (["good one"], 1)


def test_a_password_is_asked_for_or_read_from_a_file(run: Run, sqlite_store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("a long enough password\n")

    asked = run("accounts", "create", "ann", "--role", "operator", typed="quite a long one\nquite a long one\n")
    read = run("accounts", "create", "bob", "--role", "viewer", "--password-file", str(secret))

    assert (asked.exit_code, read.exit_code) == (0, 0)
    assert "quite a long one" not in asked.output
    with sqlite_store.reading() as session:
        assert authenticate_account(session, "ann", "quite a long one") is not None
        assert authenticate_account(session, "bob", "a long enough password") is not None


@pytest.mark.slow
def test_without_a_terminal_the_ways_to_give_a_password_are_told(sqlite_url: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "accounts", "create", "ann", "--role", "viewer"],
        env={**os.environ, "LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert "--password-file or --generate" in ended.stderr
    assert "Warning" not in ended.stderr


def test_a_generated_password_is_shown_and_works(run: Run, sqlite_store: Store) -> None:
    made = json.loads(run("accounts", "create", "ann", "--role", "admin", "--generate", "--json").stdout)

    with sqlite_store.reading() as session:
        assert authenticate_account(session, "ann", made["password"]) is not None


def test_a_weak_password_and_a_taken_name_are_refused_with_the_mend(run: Run) -> None:
    weak = run("accounts", "create", "ann", "--role", "viewer", typed="short\nshort\n")
    run("accounts", "create", "ann", "--role", "viewer", "--generate")
    taken = run("accounts", "create", "ann", "--role", "viewer", "--generate")

    assert (weak.exit_code, taken.exit_code) == (2, 2)
    assert "characters" in weak.stderr
    assert "exists already" in taken.stderr


def test_a_disabled_account_is_nobody(run: Run, sqlite_store: Store) -> None:
    made = json.loads(run("accounts", "create", "ann", "--role", "viewer", "--generate", "--json").stdout)

    first, second = run("accounts", "disable", "ann"), run("accounts", "disable", "ann")

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert "disabled already" in second.stderr
    with sqlite_store.reading() as session:
        assert authenticate_account(session, "ann", made["password"]) is None
    assert "disabled" in run("accounts", "list").stdout


def test_a_disabled_account_is_enabled_again_with_the_password_it_was_given(run: Run, sqlite_store: Store) -> None:
    run("accounts", "create", "ann", "--role", "viewer", "--generate")
    run("accounts", "disable", "ann")

    told = run("accounts", "password", "ann", "--generate")
    made = json.loads(run("accounts", "password", "ann", "--generate", "--json").stdout)
    first, second = run("accounts", "enable", "ann"), run("accounts", "enable", "ann")

    assert "lineside accounts enable ann" in told.stdout
    assert made["disabled"] is True
    assert (first.exit_code, second.exit_code, run("accounts", "enable", "nobody").exit_code) == (0, 1, 2)
    with sqlite_store.reading() as session:
        assert authenticate_account(session, "ann", made["password"]) is not None
        assert [entry.action for entry in read_trail(session, 1)] == ["account.enabled"]


def test_the_last_administrator_that_is_enabled_stays(run: Run, sqlite_store: Store) -> None:
    for name, role in (("ann", "admin"), ("bob", "admin"), ("eve", "operator")):
        run("accounts", "create", name, "--role", role, "--generate")

    first, last = run("accounts", "disable", "ann"), run("accounts", "disable", "bob")

    assert (first.exit_code, last.exit_code) == (0, 1)
    assert "lineside accounts enable" in last.stderr
    assert run("accounts", "list").stdout.count("disabled") == 1


def test_what_was_done_at_the_terminal_stands_in_the_trail(run: Run, sqlite_store: Store) -> None:
    run("keys", "create", "--source", "erp", "--label", "ERP")
    run("accounts", "create", "ann", "--role", "admin", "--generate")
    run("accounts", "password", "ann", "--generate")

    with sqlite_store.reading() as session:
        entries = read_trail(session, 10)
    assert [entry.action for entry in entries] == ["account.password_set", "account.created", "key.created"]
    assert all(entry.actor.startswith("cli:") for entry in entries)
