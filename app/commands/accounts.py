"""`lineside accounts`: people who may use the console and the admin routes."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import GetPassWarning
from pathlib import Path

import click

from app.access.accounts import AccountError, AccountStays, list_accounts
from app.access.roles import Role
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json
from app.store.session import Store
from app.web.access_acts import disable_account, enable_account, make_account, set_password

password_file = click.option(
    "--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the password from here."
)
generate = click.option("--generate", is_flag=True, help="Make a password and print it, this once.")


@click.group()
def accounts() -> None:
    """Accounts of people: make, set a password, disable, enable, list. No password stands on the command line."""


@contextmanager
def opened() -> Iterator[Store]:
    """The database, where an account that cannot be changed like this ends the command with the reason."""
    with open_database(open_settings()) as store:
        try:
            yield store
        except AccountStays as error:
            raise AnswerIsNo(_sentence(error)) from None
        except AccountError as error:
            raise Unusable(_sentence(error)) from None


def _sentence(error: AccountError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


@accounts.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@password_file
@generate
@json_option
def create(name: str, role: str, password_file: Path | None, generate: bool, as_json: bool) -> None:
    """Make an account. Exit codes: 0 made, 2 the name is taken or the password too weak."""
    chosen = _password(password_file, generate)
    with opened() as store:
        make_account(store, name, chosen, Role(role), terminal_actor(), utc_now())
    _told(name, f"Account {name} ({role}) is made.", chosen if generate else None, as_json)


@accounts.command()
@click.argument("name")
@password_file
@generate
@json_option
def password(name: str, password_file: Path | None, generate: bool, as_json: bool) -> None:
    """Set an account's password; its sessions end. Exit codes: 0 set, 2 no such account or too weak a password."""
    chosen = _password(password_file, generate)
    with opened() as store:
        changed = set_password(store, name, chosen, terminal_actor(), utc_now())
    told = f"The password of {name} is set."
    if changed.disabled_at:
        told += f" The account is disabled all the same; `lineside accounts enable {name}` lets it in again."
    _told(name, told, chosen if generate else None, as_json, disabled=changed.disabled_at is not None)


@accounts.command()
@click.argument("name")
@json_option
def disable(name: str, as_json: bool) -> None:
    """Let an account do nothing any more, from its next request on.

    Exit codes: 0 done, 1 it is disabled already or is the last administrator, 2 no such account.
    """
    with opened() as store:
        disable_account(store, name, terminal_actor(), utc_now())
    _told(name, f"Account {name} is disabled.", None, as_json, disabled=True)


@accounts.command()
@click.argument("name")
@json_option
def enable(name: str, as_json: bool) -> None:
    """Let a disabled account in again, with its role and password.

    Exit codes: 0 done, 1 it is enabled already, 2 no such account.
    """
    with opened() as store:
        enable_account(store, name, terminal_actor(), utc_now())
    _told(name, f"Account {name} is enabled.", None, as_json, disabled=False)


@accounts.command("list")
@json_option
def show(as_json: bool) -> None:
    """List accounts."""
    with open_database(open_settings()) as store, store.reading() as session:
        records = list_accounts(session)
    if as_json:
        rows = [
            {"name": r.name, "role": r.role.value, "created_at": r.created_at, "disabled_at": r.disabled_at}
            for r in records
        ]
        print_json({"accounts": rows})
        return
    for record in records:
        click.echo(f"{record.name:<24} {record.role.value:<10} {'disabled' if record.disabled_at else ''}".rstrip())


def _password(path: Path | None, generated: bool) -> str:
    if path is not None and generated:
        raise Unusable("Give --password-file or --generate, not both.")
    if generated:
        return secrets.token_urlsafe(15)
    if path is not None:
        return path.read_text(encoding="utf-8").strip()
    with warnings.catch_warnings():
        # Without a terminal the library would warn, and then show what is typed or end in the middle.
        warnings.simplefilter("error", GetPassWarning)
        try:
            chosen: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        except GetPassWarning:
            raise Unusable(
                "A password is needed: give --password-file or --generate, or call from a terminal."
            ) from None
    return chosen


def _told(name: str, text: str, shown: str | None, as_json: bool, *, disabled: bool = False) -> None:
    if as_json:
        print_json({"name": name, "disabled": disabled} | ({"password": shown} if shown else {}))
    else:
        click.echo(text + (f" Its password, shown this once: {shown}" if shown else ""))
