"""`lineside postings` and `lineside decide`: what nobody knows the outcome of, and a person's word on it."""

from __future__ import annotations

from typing import Any

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.dead_letters.decide import decide as decide_posting
from app.dead_letters.repair import DeadLetterError
from app.postings.ledger import PostingState
from app.postings.listing import PAGE_MOST, ListedPosting, list_postings
from app.web.decision_acts import decision_of
from app.web.parameters import ID_MOST
from app.web.problems import Problem

COLUMNS = ("id", "state", "target", "plant", "kind", "posting_key", "attempts", "reason_code", "reason", "document")


@click.command()
@click.option(
    "--state", type=click.Choice(sorted(state.value for state in PostingState)), default="unknown", show_default=True
)
@click.option("--target", help="Only of this target.")
@click.option("--limit", type=click.IntRange(1, PAGE_MOST), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1, ID_MOST), help="Go on below this id.")
@json_option
def postings(state: str, target: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """List postings in one state, newest first: those of which nobody knows whether the target holds them.

    While their message waits the target is asked again by itself; where it is dead, requeue it or decide, as
    docs/runbooks/outcome-unknown.md says. Exit codes: 0 listed, 1 there are none.
    """
    with open_database(open_settings()) as store, store.reading() as session:
        page = list_postings(session, PostingState(state), target, limit, before)
        rows = [_row(row) for row in page.rows]
    if as_json:
        print_json({"postings": rows, "before": page.before})
    else:
        _print(rows, page.before)
    if not rows:
        raise AnswerIsNo(f"No posting is {state}.")


def _row(row: ListedPosting) -> dict[str, Any]:
    message = {"id": row.message.id, "state": row.message.state, "reason": row.message.reason}
    own = {name: getattr(row.posting, name) for name in COLUMNS} | {"state": row.state}
    return {**own, "since": row.since, "message": message, "reverses": row.undoes}


def _print(rows: list[dict[str, Any]], before: int | None) -> None:
    console = terminal()
    for row in rows:
        message, undoes = row["message"], f", reverses {row['reverses']}" if row["reverses"] else ""
        head = f"Posting {row['id']}: {row['kind']} to {row['target']} [key {row['posting_key']}]{undoes}"
        plain_line(console, head)
        since = row["since"].strftime("%Y-%m-%d %H:%M:%SZ")
        told = f"  message {message['id']} is {message['state']}; since {since}, {row['attempts']} attempts"
        plain_line(console, told)
        if row["reason"]:
            plain_line(console, f"  {row['reason']}")
    if before is not None:
        plain_line(console, f"More: --before {before}")


@click.command()
@click.argument("posting_id", type=click.IntRange(1, ID_MOST))
@click.option("--posted", "outcome", flag_value="posted", help="The target holds it.")
@click.option("--not-posted", "outcome", flag_value="not_posted", help="It does not: it is sent again without asking.")
@click.option("--reference", help="With --posted: the target's own name for the document.")
@click.option("--reason", required=True, help="How you know it; kept with the posting and in the trail.")
@click.option("--stays-dead", is_flag=True, help="Do not requeue a dead message, so that it can be corrected.")
@json_option
def decide(
    posting_id: int, outcome: str | None, reference: str | None, reason: str, stays_dead: bool, as_json: bool
) -> None:
    """Say what became of a posting whose outcome is unknown; `lineside postings` lists them.

    The message goes on within seconds, also a dead one. Exit codes: 0 decided, 1 there is nothing to decide, 2 the call
    has to be mended.
    """
    try:
        decision = decision_of(outcome or "", reason, reference, stays_dead)
    except Problem as problem:
        raise Unusable(problem.detail) from None
    try:
        with open_database(open_settings()) as store, store.writing() as session:
            decided = decide_posting(session, posting_id, decision, terminal_actor(), utc_now())
    except DeadLetterError as error:
        raise AnswerIsNo(str(error)) from None
    message = {"id": decided.message_id, "state": decided.message_state}
    if as_json:
        print_json({"id": posting_id, "state": decided.posting_state, "message": message})
    else:
        click.echo(f"Posting {posting_id} is {decided.posting_state}; message {message['id']} is {message['state']}.")
