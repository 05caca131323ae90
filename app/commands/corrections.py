"""`lineside dead payload` and `lineside dead correct`: a payload taken out, mended, and resubmitted."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import NO, AnswerIsNo, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json
from app.dead_letters.repair import DeadLetterError, refuse_if_partly_posted
from app.dead_letters.repair import correct as correct_message
from app.store.session import Store
from app.web.corrections import check_correction, read_dead_letter, read_letter
from app.web.parameters import ID_MOST
from app.web.problems import Problem


@click.command()
@click.argument("message_id", type=click.IntRange(1, ID_MOST))
def payload(message_id: int) -> None:
    """Write a message's payload to standard output, byte for byte: its newest correction where one was made, else what
    was received. Exit codes: 0 written, 1 there is no such message."""
    with open_database(open_settings()) as store, store.reading() as session:
        try:
            body = read_letter(session, message_id).body
        except Problem:
            raise AnswerIsNo(f"There is no message {message_id}.") from None
    click.echo(body, nl=False)


@click.command()
@click.argument("message_id", type=click.IntRange(1, ID_MOST))
@click.option("--file", "source", type=click.File("rb"), required=True, help="The corrected payload; - reads it in.")
@click.option("--dry-run", is_flag=True, help="Only say whether it would be taken.")
@json_option
def correct(message_id: int, source: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Give a dead letter another payload and make it due again; what was received is kept beside it.

    `lineside dead payload ID > F` writes what is to be corrected. Exit codes: 0 resubmitted (or would be), 1 it is no
    dead letter, or the correction is refused, 2 the file cannot be read or is too large.
    """
    settings = open_settings()
    body = source.read(settings.max_body_bytes + 1)
    if len(body) > settings.max_body_bytes:
        raise Unusable(f"The file has more than {settings.max_body_bytes:,} bytes; see LINESIDE_MAX_BODY_BYTES.")
    problem: Problem | None = None
    with open_database(settings) as store:
        try:
            _resubmit(store, message_id, body, dry_run)
        except DeadLetterError as error:
            problem = Problem(409, "not_possible", str(error))
        except Problem as told:
            problem = told
    _tell(message_id, problem, as_json, dry_run)


def _resubmit(store: Store, message_id: int, body: bytes, dry_run: bool) -> None:
    with store.reading() as session:
        letter = read_dead_letter(session, message_id)
        refuse_if_partly_posted(session, message_id)
    check_correction(letter, body)
    if not dry_run:
        with store.writing() as session:
            correct_message(session, message_id, body, terminal_actor(), utc_now())


def _tell(message_id: int, problem: Problem | None, as_json: bool, dry_run: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"id": message_id, "resubmitted": problem is None and not dry_run, "dry_run": dry_run}
        print_json(told | ({"problem": problem.wire()} if problem else {}))
    elif problem is None:
        click.echo(f"Message {message_id} {'would be' if dry_run else 'is'} corrected and due again.")
    else:
        click.echo(f"Error: {problem.detail}", err=True)
        for error in problem.errors:
            click.echo(f"  {error.pointer or error.place or 'it'} {error.reason}", err=True)
    if problem is not None:
        click.get_current_context().exit(NO)
