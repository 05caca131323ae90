"""`lineside exceptions`: what is missing, silent or does not add up, and what a person says of it."""

from __future__ import annotations

import click

from app.business_exceptions.lookup import STATES, UNFINISHED, ExceptionFilter, list_exceptions
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json
from app.web.exceptions import acknowledge_exception, resolve_exception, told
from app.web.problems import Problem

MOST = 1_000


@click.group(invoke_without_command=True)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Unresolved ones unless told.")
@click.option("--plant")
@click.option("--source")
@click.option("--rule", help="Such as numbers_missing.")
@click.option("--limit", default=100, type=click.IntRange(1, MOST), show_default=True)
@json_option
@click.pass_context
def exceptions(
    context: click.Context,
    states: tuple[str, ...],
    plant: str | None,
    source: str | None,
    rule: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List business exceptions, the newest first. Exit codes: 0 listed, 1 none matches."""
    if context.invoked_subcommand is not None:
        return
    chosen = ExceptionFilter(states or UNFINISHED, plant, source, rule)
    with open_database(open_settings()) as store, store.reading() as session:
        page = list_exceptions(session, chosen, limit)
        rows = [told(each) for each in page.exceptions]
    if as_json:
        print_json({"exceptions": rows, "more": page.before is not None})
    for row in [] if as_json else rows:
        at = row["first_seen_at"].isoformat(timespec="minutes").replace("+00:00", "Z")
        click.echo(
            f"{row['id']:>6}  {row['state']:<12} {row['plant'] or '-':<8} {row['rule']:<20} {at}  {row['message']}"
        )
    if page.before is not None and not as_json:
        click.echo(f"There are more than {limit}; see --limit and the filters.")
    if not rows:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo("No business exception matches.")


@exceptions.command("acknowledge")
@click.argument("exception_id", type=int)
@click.option("--reason", help="What is being done; kept in the trail.")
def acknowledge_one(exception_id: int, reason: str | None) -> None:
    """Say that somebody takes care of it. Exit codes: 0 done, 1 it is not open, or is not known."""
    with open_database(open_settings()) as store:
        try:
            acknowledge_exception(store, exception_id, terminal_actor(), reason, utc_now())
        except Problem as problem:
            raise AnswerIsNo(problem.detail) from None
    click.echo(f"Business exception {exception_id} is acknowledged.")


@exceptions.command("resolve")
@click.argument("exception_id", type=int)
@click.option("--reason", required=True, help="What became of it; kept in the trail.")
def resolve_one(exception_id: int, reason: str) -> None:
    """End it for good: what is missing is not asked for again. Exit codes: 0 done, 1 it is over, or is not known."""
    with open_database(open_settings()) as store:
        try:
            resolve_exception(store, exception_id, terminal_actor(), reason, utc_now())
        except Problem as problem:
            raise AnswerIsNo(problem.detail) from None
    click.echo(f"Business exception {exception_id} is resolved.")
