"""`lineside requeue-posting`: have a posting made again that is not required and was refused."""

from __future__ import annotations

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.dead_letters.posting_requeue import requeue_posting as make_again
from app.dead_letters.repair import DeadLetterError
from app.web.decision_acts import reason_of
from app.web.parameters import ID_MOST
from app.web.problems import Problem


@click.command("requeue-posting")
@click.argument("posting_id", type=click.IntRange(1, ID_MOST))
@click.option("--reason", required=True, help="Why; it is kept with the message and in the trail.")
@json_option
def requeue_posting(posting_id: int, reason: str, as_json: bool) -> None:
    """Have a posting made again that trails behind a posted message, and was refused or is not asked for any more.

    `lineside postings --state refused` lists them. A message that is dead is requeued itself: `lineside dead requeue`.
    Exit codes: 0 due again, 1 not possible, 2 the call has to be mended.
    """
    try:
        why = reason_of(reason)
    except Problem as problem:
        raise Unusable(problem.detail) from None
    settings = open_settings()
    lanes_of = open_topology(settings).lanes_of
    try:
        with open_database(settings) as store, store.writing() as session:
            made = make_again(session, posting_id, why, terminal_actor(), utc_now(), lanes_of)
    except DeadLetterError as error:
        raise AnswerIsNo(str(error)) from None
    message = {"id": made.message_id, "state": made.message_state}
    if as_json:
        print_json({"id": posting_id, "state": made.posting_state, "message": message})
    else:
        click.echo(f"Posting {posting_id} is {made.posting_state}; message {message['id']} is {message['state']}.")
