"""`lineside reverse`: have everything reversed that targets hold of a message."""

from __future__ import annotations

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.dead_letters.repair import DeadLetterError
from app.dead_letters.reversal import reverse as reverse_message


@click.command()
@click.argument("message_id", type=int)
@click.option("--reason", required=True, help="Why; it is kept with the message and in the trail.")
@click.option("--by-hand", is_flag=True, help="What a target refused to reverse, a person has reversed there since.")
@json_option
def reverse(message_id: int, reason: str, by_hand: bool, as_json: bool) -> None:
    """Have everything reversed that targets hold of a posted message, or of a dead one.

    It is begun within seconds; `lineside trace ID` shows how far it is. Exit codes: 0 ordered, 1 not possible.
    """
    settings = open_settings()
    lanes_of = open_topology(settings).lanes_of
    try:
        with open_database(settings) as store, store.writing() as session:
            reverse_message(session, message_id, reason, terminal_actor(), utc_now(), lanes_of, by_hand)
    except DeadLetterError as error:
        raise AnswerIsNo(str(error)) from None
    if as_json:
        print_json({"id": message_id, "ordered": True})
    else:
        click.echo(f"The reversal of message {message_id} is due.")
